"""The settings file of quickstart: it adds what is missing, and never changes a line of the operator."""

from __future__ import annotations

from popadmin.quickstart import settings_file

WANTED = {"POP3_LISTEN": "0.0.0.0:110", "PUBLIC_HOSTNAME": "mail.example.org"}


def test_a_new_file_has_all_settings() -> None:
    text = settings_file.completed("", WANTED)
    assert text == "POP3_LISTEN=0.0.0.0:110\nPUBLIC_HOSTNAME=mail.example.org\n"
    assert settings_file.values(text) == WANTED


def test_lines_of_the_operator_stay_as_they_are() -> None:
    text = "# ours\nexport POP3_LISTEN = 127.0.0.1:110\nREMOVED_DAYS=7"
    assert settings_file.completed(text, WANTED) == f"{text}\nPUBLIC_HOSTNAME=mail.example.org\n"


def test_a_setting_in_a_comment_is_none() -> None:
    assert "\nPOP3_LISTEN=" in settings_file.completed("# POP3_LISTEN=127.0.0.1:110\n", WANTED)


def test_a_complete_file_stays_octet_for_octet() -> None:
    text = settings_file.completed("", WANTED) + "\n\n# end"
    assert settings_file.completed(text, WANTED) == text


def test_what_is_shown_of_a_file_has_no_secrets() -> None:
    text = """# SECRET_KEY = former one
SECRET_KEY=present:/@one
SECRET_KEY_FILE=/etc/key
DATABASE_URL=postgres://popadmin:p%40ss:@127.0.0.1/popadmin
export EMAIL_URL=smtp+tls://a@b:c@d@mail.example.org:587
MAIL_STORE_URL=file:/var/lib/popadmin/bodies
"""
    shown = """# SECRET_KEY = (hidden)
SECRET_KEY=(hidden)
SECRET_KEY_FILE=/etc/key
DATABASE_URL=postgres://popadmin:(hidden)@127.0.0.1/popadmin
export EMAIL_URL=smtp+tls://a@b:(hidden)@mail.example.org:587
MAIL_STORE_URL=file:/var/lib/popadmin/bodies
"""
    assert settings_file.without_secrets(text) == shown
