"""Every storage attack on many rounds, kept by the product and by the twins."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from tests.attacks.loot import Loot
from tests.attacks.product import Product, unshuffled
from tests.attacks.score import Guess, Leaks, Score
from tests.attacks.storage import ATTACKS, StorageAttack
from tests.attacks.story import Story, make_up, play
from tests.attacks.twin import Twin, WithoutRowid, unpadded
from tests.postgres import Cluster

Result = Score | Leaks


@dataclass(frozen=True)
class Outcome:
    """What each attack came to, by its name."""

    on_twin: dict[str, Any]
    on_product: dict[str, Any]


class Campaign:
    """Simulated rounds on one kind of database, and what each attack came to on them."""

    def __init__(self, app: Flask, session: Session, folder: Path, cluster: Cluster | None) -> None:
        self.app, self.session, self.folder, self.cluster = app, session, folder, cluster
        self.twin_url = (
            cluster.create(f"twin_{folder.parent.name}".replace("-", "_")) if cluster else ""
        )
        kind = "postgresql" if cluster else "sqlite"
        self.attacks = [attack for attack in ATTACKS if kind in attack.databases]
        self.outcome = Outcome({}, {})

    def run(self, count: int, name: str) -> Outcome:
        """Simulate so many rounds and return what the attacks come to, added up."""
        for number in range(count):
            self._round(f"{name}{number}")
        return self.outcome

    def _round(self, name: str) -> None:
        folder = self.folder / name
        folder.mkdir(parents=True)
        story = make_up(random.Random(name))
        product = Product(self.app, self.session, name, folder, self.cluster)
        loot = product.with_keys(play(story, product))
        twins = {
            "naive": self._twin(Twin(self.twin_url, folder / "naive", self.cluster), story),
            "unshuffled": unshuffled(
                loot, {product.handles[rater]: text for rater, text in story.sent.items()}
            ),
        }
        twins["keys kept"] = replace(loot, keys=product.keys)
        twins["unpadded"] = unpadded(twins["naive"])
        if not self.cluster:
            boxed = WithoutRowid("", folder / "boxed", None)
            journal = Twin("", folder / "journal", None, journal="PERSIST")
            twins["without rowid"] = self._twin(boxed, story)
            twins["rollback journal"] = self._twin(journal, story)
        for attack in self.attacks:
            _add(self.outcome.on_twin, attack, twins[attack.twin], story)
            _add(self.outcome.on_product, attack, loot, story)
        shutil.rmtree(folder)

    def _twin(self, twin: Twin, story: Story) -> Loot:
        try:
            return play(story, twin)
        finally:
            twin.forget()


def _add(results: dict[str, Any], attack: StorageAttack, loot: Loot, story: Story) -> None:
    got: Sequence[Any] = attack.run(loot)
    one: Result
    if attack.leaks:
        one = Leaks.of(got)
    else:
        guesses: Sequence[Guess] = got
        one = Score.of(guesses, story.sent)
    results[attack.name] = results[attack.name] + one if attack.name in results else one
