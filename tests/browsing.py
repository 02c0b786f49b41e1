"""The Chromium that browser tests share: how it is started."""

FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
]
SOFTWARE_GPU = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
NO_GPU = ["--disable-gpu", "--disable-software-rasterizer", "--disable-3d-apis"]
