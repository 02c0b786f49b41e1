"""Somebody with a browser without scripts: keeps cookies, follows forms, reads pages."""

from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

from tests.serving import Answer, Client
from tests.storefront.markup import Document, parse


@dataclass
class Visitor:
    """Every request carries the cookies of the answers before."""

    client: Client
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Answer:
        return self._kept(self.client.get(path, **self._headers()))

    def post(self, path: str, **fields: str | int) -> Answer:
        """Send a form; redirects are not followed."""
        form = urlencode(fields)
        answer = self.client.ask(
            "POST",
            path,
            form,
            content_type="application/x-www-form-urlencoded",
            **self._headers(),
        )
        return self._kept(answer)

    def submit(self, path: str, **fields: str | int) -> Document:
        """Send a form and show where it leads."""
        return self.follow(self.post(path, **fields))

    def follow(self, answer: Answer) -> Document:
        for _ in range(5):
            if answer.status not in (301, 303, 308):
                return parse(answer.text)
            target = urlsplit(urljoin("http://shop/", answer.headers["Location"]))
            answer = self.get(f"{target.path}?{target.query}" if target.query else target.path)
        raise AssertionError("redirected in a circle")

    def show(self, path: str) -> Document:
        return self.follow(self.get(path))

    def _headers(self) -> dict[str, str]:
        pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"accept": "text/html", **({"cookie": pairs} if pairs else {})}

    def _kept(self, answer: Answer) -> Answer:
        for header in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return answer
