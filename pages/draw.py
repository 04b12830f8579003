"""What does a trained network make of what I draw?"""

from gan_core.ui import draw_page
from gan_core.ui.shell import DRAW, come_back

come_back(DRAW)
draw_page.show()
