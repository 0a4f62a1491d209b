"""What mail programs send, for tests: the host that they name is one that no setting lists."""

from __future__ import annotations

from typing import Any

from django.test import Client

AUTOCONFIG_PATHS = ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml")
FOREIGN_HOST = "autoconfig.customer.example"
REQUEST = """<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
  <Request>
    <EMailAddress>{address}</EMailAddress>
    <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>
  </Request>
</Autodiscover>
"""


def fetched(path: str, *, host: str = FOREIGN_HOST, **query: str) -> Any:
    return Client().get(path, query, headers={"host": host})


def discovered(body: str | bytes, path: str = "/autodiscover/autodiscover.xml", host: str = FOREIGN_HOST) -> Any:
    return Client().post(path, body, content_type="text/xml", headers={"host": host})
