"""What people wrote, without order and without a trace of who wrote what."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence

from questionnaires.definition import Prompt
from reports.release import Comments, ThreeWords, Words

# A group's (or an identified rater's) answers to one prompt.
Written = Sequence[tuple[str, ...]]


def comments(
    prompt: Prompt,
    written: Mapping[str, Written],
    identified: Mapping[str, Written],
    labelled_from: int,
    shuffle: random.Random,
) -> tuple[Comments, ...]:
    """Return the comments to one prompt, shuffled for this prompt alone.

    `written` holds the anonymous atoms' answers by atom, `identified` those of
    raters shown by role. Groups are named only if every group that wrote has
    at least `labelled_from` comments: naming the large one would name the
    small one too.
    """
    texts = {of: [" ".join(fields) for fields in answers] for of, answers in written.items()}
    texts = {of: some for of, some in texts.items() if some}
    groups: dict[str | None, list[str]] = dict(texts.items())
    if any(len(some) < labelled_from for some in texts.values()):
        groups = {None: [text for some in texts.values() for text in some]}
    for some in groups.values():
        shuffle.shuffle(some)
    groups |= {of: [" ".join(fields) for fields in some] for of, some in identified.items() if some}
    return tuple(Comments(prompt=prompt.id, of=of, texts=tuple(t)) for of, t in groups.items() if t)


def three_words(
    prompt: Prompt,
    written: Mapping[str, Written],
    identified: Mapping[str, Written],
    shuffle: random.Random,
) -> tuple[ThreeWords, ...]:
    """Return the words chosen for one prompt: all groups together, most frequent first.

    Words are counted one by one, so that nobody's three stay together.
    """
    together = [answer for some in written.values() for answer in some]
    groups: dict[str | None, Written] = {None: together}
    groups.update(identified)
    return tuple(
        ThreeWords(prompt=prompt.id, of=of, words=_counted(answers, shuffle))
        for of, answers in groups.items()
        if answers
    )


def _counted(answers: Written, shuffle: random.Random) -> tuple[Words, ...]:
    words = [word for answer in answers for word in answer if word]
    shuffle.shuffle(words)
    spelling = {word.casefold(): word for word in reversed(words)}
    times = Counter(word.casefold() for word in words)
    return tuple(Words(word=spelling[folded], times=count) for folded, count in times.most_common())
