"""A robot that looks at the shop the way shoppers do: the home page, then a product in 3D.

CloudWatch Synthetics runs it with Selenium and Chrome. It buys nothing.
"""

import os

from aws_synthetics.selenium import synthetics_webdriver as robot
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_S = 20


def handler(event: object, context: object) -> None:
    """Raises what Selenium raises when something is missing; that is the canary's failure."""
    del event, context
    browser = robot.Chrome()
    wait = WebDriverWait(browser, PATIENCE_S)

    browser.get(os.environ["SHOP_URL"])
    link = wait.until(expected.presence_of_element_located((By.CSS_SELECTOR, 'a[href*="/p/"]')))
    address = link.get_attribute("href")

    browser.get(address)
    wait.until(expected.presence_of_element_located((By.CSS_SELECTOR, "h1")))
    wait.until(expected.presence_of_element_located((By.CSS_SELECTOR, "img.product-3d-poster")))
    # The element is there only if the viewer's script came and ran.
    wait.until(lambda page: page.execute_script("return !!customElements.get('product-3d')"))
