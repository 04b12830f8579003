"""On which machines do the runs train?"""

from gan_core.ui import cluster_page

cluster_page.show()
