"""Wanted records against those that DNS has, on a DNS server of the test."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from django.utils import timezone

from mailstore.directory import grants
from mailstore.models import DnsLookup, Domain
from popadmin.connect.dns import check, lookup, record, wanted
from popadmin.connect.dns.record import Kind, Question
from popadmin.panel.views.domain_dns import LOOKS_A_MINUTE
from tests.connect.conftest import MX, WEB
from tests.site.page_users import an_admin, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_domain

pytestmark = pytest.mark.django_db
NAME = "customer.example"


def a_customer() -> Domain:
    return Domain.objects.get(name=a_domain(NAME))


def states(found: check.Check) -> dict[str, str]:
    """The state of each record, by the first label of its name; of the domain itself by the kind."""
    names = {}
    for row in found.rows:
        name, kind = row.records.question
        names[kind.value if name == NAME else name.removesuffix(f".{NAME}")] = row.state.value
    return names


def test_the_records_as_a_zone_file_are_what_the_check_wants(name_server, settings):
    settings.DKIM_SELECTOR, settings.DKIM_RECORD = "2026", 'v=DKIM1; k=rsa; n="a\\b"; p=' + "A" * 400
    domain = a_customer()
    name_server.take_zone(check.saved(domain).zone)
    found = check.look_up(domain)
    assert set(states(found).values()) == {"good"}
    assert list(states(found)) == [
        "MX", "TXT", "2026._domainkey", "_dmarc", "autoconfig", "_pop3s._tcp", "_pop3._tcp", "_submissions._tcp",
        "_autodiscover._tcp", "autodiscover", "ua-auto-config", "_ua-auto-config",
    ]  # fmt: skip
    assert found.needed_are_good


def test_a_domain_without_records_lacks_all_of_them(name_server):
    found = check.look_up(a_customer())
    assert set(states(found).values()) == {"missing"}
    assert not found.needed_are_good


def test_the_zone_of_the_mail_server_itself_needs_its_addresses(name_server, settings):
    settings.PUBLIC_MX_HOSTNAMES = [f"mx.{NAME}", "mx.other.example"]
    settings.PUBLIC_HOSTNAME = settings.PUBLIC_SMTP_HOSTNAME = f"mx.{NAME}"
    domain = a_customer()
    zone = check.saved(domain).zone
    assert [line for line in zone.splitlines() if line.startswith(";")] == [
        f"; mx.{NAME}. needs the public address of its machine: an A record, and AAAA for IPv6"
    ]
    name_server.take_zone(zone)
    found = check.look_up(domain)
    assert (states(found)["mx"], found.needed_are_good) == ("missing", False)
    name_server.put(f"mx.{NAME}", "AAAA", "2001:db8::1")
    found = check.look_up(domain)
    assert (states(found)["mx"], found.needed_are_good) == ("good", True)


@pytest.mark.parametrize(
    ("name", "kind", "texts", "label", "state"),
    [
        (NAME, "MX", [f"5 {MX.upper()}."], "MX", "good"),
        (NAME, "MX", ["10 mx.other.example."], "MX", "different"),
        (NAME, "MX", [f"10 {MX}.", "20 mx.other.example."], "MX", "different"),
        (NAME, "TXT", ['"some-verification=1"', '"v=spf1  mx ~all"'], "TXT", "good"),
        (NAME, "TXT", ['"v=spf1 " "mx ~all"'], "TXT", "good"),
        (NAME, "TXT", ['"some-verification=1"'], "TXT", "missing"),
        (NAME, "TXT", ['"v=spf1 mx -all"'], "TXT", "different"),
        (NAME, "TXT", ['"v=spf1 mx ~all"', '"v=spf1 a -all"'], "TXT", "different"),
        (f"mail._domainkey.{NAME}", "TXT", ['"v=DKIM1; p=MIIB" "IjAN"'], "mail._domainkey", "good"),
        (f"mail._domainkey.{NAME}", "TXT", ['"v=DKIM1; p="'], "mail._domainkey", "different"),
        (f"_dmarc.{NAME}", "TXT", ['"v=DMARC1; p=reject"'], "_dmarc", "good"),
        (f"_dmarc.{NAME}", "TXT", ['"v=DMARC1; p=reject"', '"v=DMARC1; p=none"'], "_dmarc", "different"),
        (f"_pop3s._tcp.{NAME}", "SRV", ["7 7 995 mail.example.test."], "_pop3s._tcp", "good"),
        (f"_pop3s._tcp.{NAME}", "SRV", ["0 1 1995 mail.example.test."], "_pop3s._tcp", "different"),
        (f"_pop3s._tcp.{NAME}", "SRV", ["0 0 0 ."], "_pop3s._tcp", "different"),
        (f"autoconfig.{NAME}", "CNAME", [f"{WEB}."], "autoconfig", "good"),
        (f"autoconfig.{NAME}", "A", ["192.0.2.1"], "autoconfig", "good"),
        (f"autoconfig.{NAME}", "AAAA", ["2001:db8::1"], "autoconfig", "good"),
        (f"autoconfig.{NAME}", "A", ["192.0.2.99"], "autoconfig", "different"),
        (f"_ua-auto-config.{NAME}", "TXT", ['"v=UAAC1; a=sha256; d=old"'], "_ua-auto-config", "different"),
    ],
)  # fmt: skip
def test_each_record_is_compared_as_its_readers_do(name_server, settings, name, kind, texts, label, state):
    settings.DKIM_SELECTOR = "mail"
    name_server.put(name, kind, *texts)
    assert states(check.look_up(a_customer()))[label] == state


@pytest.mark.req("P-174")
def test_a_service_that_is_not_offered_is_denied_or_left_out_but_never_pointed_at(name_server, settings):
    settings.PUBLIC_POP3_PORT = None
    domain = a_customer()
    assert f"_pop3._tcp.{NAME}. 3600 IN SRV 0 0 0 .\n" in check.saved(domain).zone
    assert states(check.look_up(domain))["_pop3._tcp"] == "good"
    name_server.put(f"_pop3._tcp.{NAME}", "SRV", "0 0 0 .")
    assert states(check.look_up(domain))["_pop3._tcp"] == "good"
    name_server.put(f"_pop3._tcp.{NAME}", "SRV", "10 1 110 mail.example.test.")
    assert states(check.look_up(domain))["_pop3._tcp"] == "different"


def test_one_name_below_the_mx_serves_all_customers(name_server, settings):
    found = check.look_up(a_customer())
    assert found.name_for_all.records.question == Question("autoconfig.hoster.example", Kind.CNAME)
    assert found.name_for_all.state.value == "missing"
    name_server.put("autoconfig.hoster.example", "CNAME", f"{WEB}.")
    assert check.look_up(a_customer()).name_for_all.state.value == "good"
    assert "autoconfig.hoster.example" not in found.zone, "it is no record of the customer's"
    settings.PUBLIC_MX_HOSTNAMES = ["hoster.example"]
    assert check.saved(a_customer()).name_for_all is None


def test_a_server_that_fails_or_keeps_silent_ends_no_other_question(name_server):
    name_server.put(NAME, "MX", f"10 {MX}.")
    name_server.broken.add(f"_dmarc.{NAME}.")
    name_server.silent.add(f"autoconfig.{NAME}.")
    found = states(check.look_up(a_customer(), budget_seconds=0.6))
    assert (found["MX"], found["_dmarc"], found["autoconfig"], found["autodiscover"]) == (
        "good", "unknown", "unknown", "missing",
    )  # fmt: skip


def test_addresses_are_not_called_wrong_while_those_of_the_pages_are_unknown(name_server):
    name_server.put(f"autoconfig.{NAME}", "A", "192.0.2.1")
    name_server.put(f"autodiscover.{NAME}", "CNAME", f"{WEB}.")
    name_server.broken.add(f"{WEB}.")
    found = states(check.look_up(a_customer()))
    assert (found["autoconfig"], found["autodiscover"]) == ("unknown", "good")


def test_without_any_answer_all_is_unknown_within_the_budget(name_server, settings):
    settings.DNS_SERVERS = ["127.0.0.1:9", "[::1]:9"]
    assert set(states(check.look_up(a_customer(), budget_seconds=0.3)).values()) == {"unknown"}


def test_what_dns_says_is_only_ever_text_of_a_bounded_length(name_server):
    name_server.put(NAME, "TXT", '"v=spf1 \\000\\027[31m<b>"', *(f'"{number} {"x" * 250}"' for number in range(40)))
    answer = lookup.answers([Question(NAME, Kind.TXT)])[Question(NAME, Kind.TXT)]
    assert len(answer.texts) == lookup.TEXTS_MOST
    assert all(text.isprintable() for text in answer.texts)


def test_a_long_text_is_written_in_strings_that_a_zone_can_hold():
    line = record.zone(wanted.records(NAME, wanted.site())[1:2])
    assert line == f'{NAME}. 3600 IN TXT "v=spf1 mx ~all"\n'


# --- the page ---------------------------------------------------------------------------------------------------


def test_the_page_asks_nothing_and_a_part_of_it_asks_once_an_hour(name_server):
    an_admin()
    client, domain = signed_in("root"), a_customer()
    path = f"/domains/{domain.pk}/dns/"
    page = client.get(path).content.decode()
    assert "not looked up yet" in page
    assert f'data-watch="{path}found/"' in page
    assert name_server.asked == []
    name_server.put(NAME, "TXT", '"v=spf1 <script>"')
    part = client.get(f"{path}found/").content.decode()
    assert "data-end" in part
    assert "v=spf1 &lt;script&gt;" in part
    asked = len(name_server.asked)
    assert asked
    page = client.get(path).content.decode()
    assert "data-watch" not in page
    client.get(f"{path}found/")
    assert len(name_server.asked) == asked
    assert client.post(f"{path}again/").url == path
    assert len(name_server.asked) > asked


def test_one_user_cannot_have_dns_asked_without_end(name_server):
    domain = a_customer()
    grants.ensure("carla", [NAME], actor=ACTOR, password=PASSWORD)
    client, path = signed_in("carla"), f"/domains/{domain.pk}/dns/again/"
    for _time in range(LOOKS_A_MINUTE):
        client.post(path)
    asked = len(name_server.asked)
    assert "Wait a minute" in client.post(path, follow=True).content.decode()
    DnsLookup.objects.all().delete()
    assert "not looked up yet" in client.get(f"/domains/{domain.pk}/dns/found/").content.decode()
    assert len(name_server.asked) == asked
    an_admin()
    signed_in("root").post(path)
    assert len(name_server.asked) > asked


def test_answers_of_more_than_an_hour_and_answers_to_other_questions_are_asked_again(name_server, settings):
    domain = a_customer()
    assert check.look_up(domain).is_fresh
    settings.DKIM_SELECTOR = "new"
    assert not check.saved(domain).is_fresh
    settings.DKIM_SELECTOR = ""
    DnsLookup.objects.update(looked_up_at=timezone.now() - check.FRESH)
    assert not check.saved(domain).is_fresh


def test_the_admin_of_another_domain_sees_no_page_and_asks_nothing(name_server):
    domain = a_customer()
    grants.ensure("carla", [a_domain("other.example")], actor=ACTOR, password=PASSWORD)
    client = signed_in("carla")
    for path in ("", "found/"):
        assert client.get(f"/domains/{domain.pk}/dns/{path}").status_code == 404
    assert client.post(f"/domains/{domain.pk}/dns/again/").status_code == 404
    assert name_server.asked == []


# --- the command ------------------------------------------------------------------------------------------------


def test_the_command_prints_what_is_wanted_and_found_and_fails_where_mail_cannot_come(name_server, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command("dns", NAME)
    assert ended.value.code == 1
    assert any(line.split()[:3] == ["missing", NAME, "MX"] for line in capsys.readouterr().out.splitlines())
    call_command("dns", NAME, "--zone")
    name_server.take_zone(capsys.readouterr().out)
    call_command("dns", NAME, "--json")
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["of_site"]
    assert {row["state"] for row in rows if not row["of_site"]} == {"good"}
    assert not DnsLookup.objects.exists()


def test_the_command_keeps_what_it_found_for_the_page_of_a_domain_that_is_here(name_server):
    a_customer()
    with pytest.raises(SystemExit):
        call_command("dns", NAME.upper())
    assert DnsLookup.objects.get().domain.name == NAME
