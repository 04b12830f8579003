"""What is z, and what lies between two samples?"""

from gan_core.ui import latent_page
from gan_core.ui.shell import LATENT, come_back

come_back(LATENT)
latent_page.show()
