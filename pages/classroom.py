"""How does the class come in, and what shall it be asked?"""

from gan_core.ui import class_page

class_page.show()
