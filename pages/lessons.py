"""What do I teach, step by step, and what is seen beside it?"""

from gan_core.ui import course_page

course_page.show()
