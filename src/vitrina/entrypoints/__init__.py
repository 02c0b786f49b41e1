"""Where the shop is started from: the web process, the worker, Lambda. They decide nothing."""
