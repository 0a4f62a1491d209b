"""`mta undo`: bring back the configuration from before the last setup."""

from __future__ import annotations

from mailstore.management.mta import target
from mailstore.management.noun_verb import NounCommand, Options, Verb
from mailstore.management.shell import actor
from mailstore.mta import last_check, setup


def verb(command: NounCommand) -> Verb:
    def run(options: Options) -> None:
        mta = target.chosen(options)
        installer = mta.kind.setup(mta.directory)
        done = setup.undo(installer)
        files = [str(path) for path in done.files]
        last_check.note_undo(mta.name, files, is_last=not installer.installation.generations(), actor=actor())
        if options["json"]:
            command.say_json({"mta": mta.name, "restored": files, "reloaded": done.is_reloaded})
            return
        for file in files:
            command.stdout.write(f"as before: {file}")

    return Verb(
        "undo",
        "Bring back the configuration from before the last setup, octet by octet.",
        "popadmin mta undo",
        target.add_arguments,
        run,
    )
