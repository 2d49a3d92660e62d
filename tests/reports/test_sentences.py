"""Every sentence that the numbers lead to, in English and in German, and none that is not here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from babel.messages.extract import extract_from_file

from questionnaires.definition import SELF, Texts
from reports import guide as guide_
from reports import wording
from reports.follow_up import Compared
from reports.guide import Guide
from reports.language import Language, language
from reports.partition import Atom
from reports.preview import Preview
from reports.release import OTHERS, Figure, Gap, Practice, ReleasedAtom
from reports.rules import rules


class Row(NamedTuple):
    """What leads to a sentence, and the sentence."""

    said: Callable[[Language, Texts], str | None]
    en: str | None
    de: str | None


class Lines(NamedTuple):
    """What leads to a part of the guide, and its sentences."""

    said: Callable[[Callable[..., Guide]], str]
    en: list[str]
    de: list[str]


def figure(mean: float | None = 3.2, band=(2.6, 3.8), **more) -> Figure:
    usual = {"scope": "facet", "key": "MM1", "of": OTHERS, "n": 5, "mean": mean, "band": band}
    return Figure(**usual | more)


OWN = figure(4.0, None, of=SELF, n=1)
UNSEEN = figure(None, None, not_seen=True)
HIGH = figure(4.7, end_coded="at_least")
LOW = figure(1.3, end_coded="at_most")


def seen(shown):
    return lambda say, texts: wording.seen_by_others(shown, texts, say)


def placed(shown):
    return lambda say, texts: wording.placed_by_others(shown, texts, say)


def value(shown):
    return lambda say, _: wording.value(shown, say)


def short(shown):
    return lambda say, _: wording.short_value(shown, say)


def apart_by(*bands):
    rows = [(f"Row {n}", figure(band=band)) for n, band in enumerate(bands, start=1)]
    return lambda say, _: wording.standing_apart([*rows, ("Nothing", None)], say)


def overlap(*bands):
    return lambda say, _: wording.bands_overlap([figure(band=band) for band in bands], say)


def alike(spread):
    return lambda say, _: wording.how_alike(figure(spread=spread) if spread else None, say)


def own(view, field):
    gap = Gap(value=0.8, view=view, field=field)
    return lambda say, _: wording.own_view(OWN, figure(gap=gap), say)


def together(*relationships, identified=False, label="Your manager"):
    atom = ReleasedAtom(
        id="x", label=label, relationships=relationships, asked=1, n=1, identified=identified
    )
    return lambda say, texts: wording.why_together(atom, texts, rules(3), say)


def named(id_):
    atom = Atom(id_, ("manager", "direct_report"), 3)
    return lambda say, texts: wording.atom_label(atom, [atom], texts, say)


def why(reason="most_room", own=OWN, **how):
    usual = {"often": False, "first": True}
    return lambda say, _: wording.why_practice(reason, own, figure(), say, **usual | how)


def changed(change, group=None):
    pair = Compared(figure(2.5), figure(3.4), change)
    return lambda say, _: wording.changed(pair, group, say)


def since(change):
    pair = Compared(figure(2.5), figure(3.4), change) if change else None
    return lambda say, _: wording.since_proposed(pair, say)


WORDING = {
    # Where others see something, and how far so few can tell.
    "a theme": Row(
        seen(figure()),
        "The answers of others centre on “About half the time” (3.2). If we asked again, the "
        "result would probably fall between 2.6 and 3.8.",
        "Die Antworten anderer liegen im Mittel bei „Etwa jedes zweite Mal“ (3,2). Wenn "
        "wir noch einmal fragten, läge das Ergebnis wahrscheinlich zwischen 2,6 und 3,8.",
    ),
    "nothing may be shown of a theme": Row(
        seen(None),
        "Too few answers to show anything here without showing somebody.",
        "Zu wenige Antworten, um hier etwas zu zeigen, ohne dass Einzelne erkennbar würden.",
    ),
    "too few could see a theme": Row(
        seen(UNSEEN),
        "More than two in five had no chance to see this, so there is no figure.",
        "Mehr als zwei von fünf konnten dies nicht beobachten, deshalb gibt es keine Zahl.",
    ),
    "nearly all at the upper end": Row(
        seen(HIGH),
        "Nearly all answers stand at the upper end of the scale.",
        "Fast alle Antworten stehen am oberen Ende der Skala.",
    ),
    "nearly all at the lower end": Row(
        placed(LOW),
        "Nearly all answers stand at the lower end of the scale.",
        "Fast alle Antworten stehen am unteren Ende der Skala.",
    ),
    "a facet with a narrow band": Row(
        placed(figure(band=(2.6, 3.4))),
        "Others place this at “About half the time”.",
        "Andere sehen dies bei „Etwa jedes zweite Mal“.",
    ),
    "a facet with a wide band": Row(
        placed(figure(band=(1.6, 3.6))),
        "Others place this between “Seldom” and “Usually”.",
        "Andere sehen dies zwischen „Selten“ und „Meistens“.",
    ),
    "nothing may be shown of a facet": Row(
        placed(None),
        "Too few answers to show anything here without showing somebody.",
        "Zu wenige Antworten, um hier etwas zu zeigen, ohne dass Einzelne erkennbar würden.",
    ),
    "a group that had no chance to see": Row(
        lambda say, _: wording.not_seen("Peers", say),
        "Peers: more than two in five had no chance to see this, so there is no figure.",
        "Peers: Mehr als zwei von fünf konnten dies nicht beobachten, deshalb gibt es keine Zahl.",
    ),
    # Values.
    "a value": Row(value(figure()), "3.2", "3,2"),
    "a value at the upper end": Row(value(HIGH), "at least 4.7", "mindestens 4,7"),
    "a value at the lower end": Row(value(LOW), "at most 1.3", "höchstens 1,3"),
    "no value": Row(value(None), "–", "–"),
    "a value without a mean": Row(value(UNSEEN), "–", "–"),
    "beside a chart": Row(short(figure()), "3.2", "3,2"),
    "beside a chart, at the upper end": Row(short(HIGH), "≥ 4.7", "≥ 4,7"),
    "beside a chart, at the lower end": Row(short(LOW), "≤ 1.3", "≤ 1,3"),
    "beside a chart, without a mean": Row(short(UNSEEN), "–", "–"),
    # Several rows of a chart.
    "two bands that touch": Row(
        apart_by((2.6, 3.0), (3.0, 3.8)),
        "All bands overlap, so nothing here stands clearly above the rest.",
        "Alle Spannen überlappen sich, nichts hier steht also klar über dem Rest.",
    ),
    "two bands that do not": Row(
        apart_by((3.1, 3.9), None, (2.2, 3.4), (2.2, 3.0)),
        "Others see “Row 1” more often than “Row 4”: these two bands do not overlap.",
        "Andere sehen „Row 1“ häufiger als „Row 4“: Diese beiden Spannen überlappen sich nicht.",
    ),
    "statements alike": Row(
        overlap((2.6, 3.0), (3.0, 3.8)), "All bands overlap.", "Alle Spannen überlappen sich."
    ),
    "statements apart": Row(
        overlap((2.6, 2.9), None, (3.0, 3.8)),
        "Not all bands overlap: compare the highest with the lowest.",
        "Nicht alle Spannen überlappen sich: Vergleichen Sie die höchste mit der niedrigsten.",
    ),
    "one statement": Row(overlap((2.6, 2.9)), None, None),
    "one band": Row(apart_by((2.6, 3.0), None), None, None),
    # How alike others are.
    "alike": Row(
        alike("alike"), "They see it much alike.", "Die anderen sind sich darin ziemlich einig."
    ),
    "somewhat alike": Row(
        alike("somewhat"),
        "Their views vary somewhat.",
        "Die Sichten der anderen gehen etwas auseinander.",
    ),
    "not alike": Row(
        alike("differently"),
        "Their views differ widely, so the middle says little.",
        "Die Sichten der anderen gehen weit auseinander; ihre Mitte sagt deshalb wenig.",
    ),
    "nothing is said of likeness": Row(alike(None), None, None),
    # The leader's own view.
    "not far": Row(
        own("alike", "build_on"),
        "Your own view (4.0) is not far from that.",
        "Ihre eigene Sicht (4,0) liegt nicht weit davon.",
    ),
    "not far and seldom": Row(
        own("alike", "next_step"),
        "Your own view (4.0) is not far from that.",
        "Ihre eigene Sicht (4,0) liegt nicht weit davon.",
    ),
    "the leader sees more": Row(
        own("different", "talk"),
        "You see it more often (4.0): a different view, worth a conversation.",
        "Sie selbst sehen es häufiger (4,0): eine andere Sicht, die ein Gespräch wert ist.",
    ),
    "the leader sees clearly more": Row(
        own("clear", "talk"),
        "You see it clearly more often (4.0): a different view, worth a conversation.",
        "Sie selbst sehen es deutlich häufiger (4,0): eine andere Sicht, die ein Gespräch"
        " wert ist.",
    ),
    "others see more": Row(
        own("different", "lean_on"),
        "You see it less often (4.0): others see more here than you do, and you can lean on that.",
        "Sie selbst sehen es seltener (4,0): Andere sehen hier mehr als Sie, und darauf "
        "können Sie sich stützen.",
    ),
    "others see clearly more": Row(
        own("clear", "lean_on"),
        "You see it clearly less often (4.0): others see more here than you do, and you can lean "
        "on that.",
        "Sie selbst sehen es deutlich seltener (4,0): Andere sehen hier mehr als Sie, und"
        " darauf können Sie sich stützen.",
    ),
    "no own view": Row(lambda say, _: wording.own_view(None, figure(), say), None, None),
    "nothing to compare it with": Row(
        lambda say, _: wording.own_view(OWN, figure(), say), None, None
    ),
    # Groups.
    "a group that stands alone": Row(together("peer"), None, None),
    "groups put together": Row(
        together("manager", "direct_report"),
        "Managers and direct reports are counted together, because fewer than 3 answers of a "
        "group are never shown alone.",
        "Vorgesetzte und Mitarbeitende zählen zusammen, weil weniger als 3 Antworten "
        "einer Gruppe nie allein gezeigt werden.",
    ),
    "somebody shown by role": Row(
        together("manager", identified=True),
        "One person, who chose to be shown as Your manager. Part of no other figure.",
        "Eine Person, die gezeigt werden wollte: Your manager. Teil keiner anderen Zahl.",
    ),
    "what is left of all groups": Row(named("rest"), "Other raters", "Andere Gefragte"),
    "everybody": Row(named("all"), "All raters", "Alle Gefragten"),
    # Strengths and practices.
    "a strength": Row(
        lambda say, _: wording.why_strength(figure(4.2, (3.8, 4.6)), say),
        "Of all facets, others place this among the highest: even the lower end of its band is "
        "3.8.",
        "Von allen Facetten liegt diese aus Sicht anderer mit am höchsten: Selbst das "
        "untere Ende der Spanne liegt bei 3,8.",
    ),
    "most room": Row(
        why(),
        "Of the facets that matter most at your level, the band of this one ends lowest: at 3.8.",
        "Von den Facetten, auf die es auf Ihrer Stufe am meisten ankommt, endet die "
        "Spanne dieser am niedrigsten: bei 3,8.",
    ),
    "most room, though often": Row(
        why(often=True),
        "Others see this often already. Of the facets that matter most at your level it still "
        "leaves most room: its band ends at 3.8.",
        "Andere sehen dies schon oft. Von den Facetten, auf die es auf Ihrer Stufe am "
        "meisten ankommt, lässt es noch am meisten Luft nach oben: Die Spanne endet bei "
        "3,8.",
    ),
    "the second": Row(
        why(first=False, often=True),
        "After that, this leaves most room: its band ends at 3.8.",
        "Danach lässt dies am meisten Luft nach oben: Die Spanne endet bei 3,8.",
    ),
    "a different view": Row(
        why("different_view"),
        "You see this clearly more often than others do (4.0 beside 3.2). Finding out why is a "
        "step in itself.",
        "Sie selbst sehen dies deutlich häufiger als andere (4,0 neben 3,2). "
        "Herauszufinden, warum, ist schon ein Schritt.",
    ),
    "several leaders": Row(
        lambda say, _: wording.why_together_next(figure(), say),
        "Of what matters most at these leaders' levels, this leaves the most room: its band ends "
        "at 3.8.",
        "Von dem, was auf den Stufen dieser Führungskräfte am meisten zählt, lässt dies "
        "am meisten Raum: Seine Spanne endet bei 3,8.",
    ),
    # Changes.
    "more than last time": Row(
        changed("more"),
        "Others see it clearly more often than last time: 2.5 then, 3.4 now.",
        "Andere sehen es deutlich häufiger als letztes Mal: damals 2,5, jetzt 3,4.",
    ),
    "less than last time": Row(
        changed("less"),
        "Others see it clearly less often than last time: 2.5 then, 3.4 now.",
        "Andere sehen es deutlich seltener als letztes Mal: damals 2,5, jetzt 3,4.",
    ),
    "a group sees more": Row(
        changed("more", "Peers"),
        "Peers see it clearly more often than last time: 2.5 then, 3.4 now.",
        "Peers sehen es deutlich häufiger als letztes Mal: damals 2,5, jetzt 3,4.",
    ),
    "a group sees less": Row(
        changed("less", "Peers"),
        "Peers see it clearly less often than last time: 2.5 then, 3.4 now.",
        "Peers sehen es deutlich seltener als letztes Mal: damals 2,5, jetzt 3,4.",
    ),
    "proposed and more": Row(
        since("more"),
        "Others see it clearly more often now.",
        "Andere sehen es jetzt deutlich häufiger.",
    ),
    "proposed and less": Row(
        since("less"),
        "Others see it clearly less often now: worth a conversation.",
        "Andere sehen es jetzt deutlich seltener: ein Gespräch wert.",
    ),
    "proposed and unclear": Row(
        since("unclear"), "No clear change so far.", "Bisher keine klare Veränderung."
    ),
    "proposed and not compared": Row(
        since(None), "Cannot be compared this time.", "Lässt sich diesmal nicht vergleichen."
    ),
}


# --- The guide: from figures to the sentences of a hypothesis, and of what cannot be carried ----


def hypothesis(*figures, **more):
    """The first hypothesis that these figures alone lead to, a sentence a line."""
    usual = {"figures": figures, "strengths": (), "practices": ()}

    def said(make):
        [first] = make(**usual | more).hypotheses()
        return "\n".join([first.title, first.data, first.against, *first.questions])

    return said


def carries_not(*figures, **more):
    """What these figures alone cannot carry, a sentence a line."""

    def said(make):
        made = make(**{"figures": figures, "comments": (), "atoms": ()} | more)
        return "\n".join(made.cannot_carry())

    return said


def apart(field):
    return figure(gap=Gap(value=1.2, view="clear", field=field))


def atom(n, *relationships):
    return ReleasedAtom(
        id="x", label="Peers", relationships=relationships, asked=9, n=n, identified=False
    )


RATED = figure(scope="item", key="MM01", gap=Gap(value=0.1, view="alike", field="build_on"))
NARROW = figure(band=(2.8, 3.4))

GUIDE = {
    "most room": Lines(
        hypothesis(figure(), practices=(Practice(facet="MM1", reason="most_room"),)),
        [
            "Handing over: a small change here would be noticed soon.",
            "Others place this between “About half the time” and “Usually”.",
            (
                "Against it: the leader already works on this and others could not see it yet; or"
                " the work of the last months left no room for it."
            ),
            "Where in the last two weeks would there have been a chance for it?",
            "What would it cost you to do it once, this week?",
            "Who would be the first to notice, and how would you know?",
        ],
        [
            "Übergeben: Eine kleine Veränderung würde hier bald bemerkt.",
            "Andere sehen dies zwischen „Etwa jedes zweite Mal“ und „Meistens“.",
            (
                "Dagegen spräche: Die Führungskraft arbeitet schon daran, und andere konnten es "
                "noch nicht sehen; oder die Arbeit der letzten Monate ließ keinen Raum dafür."
            ),
            "Wo hätte es in den letzten zwei Wochen Gelegenheit dafür gegeben?",
            "Was würde es Sie kosten, es diese Woche einmal zu tun?",
            "Wer würde es zuerst bemerken, und woran würden Sie das erkennen?",
        ],
    ),
    "a different view": Lines(
        hypothesis(apart("talk"), OWN),
        [
            "Handing over: what is meant does not arrive.",
            (
                "Others place this between “About half the time” and “Usually”. The leader sees "
                "it more often (4.0)."
            ),
            (
                "Against it: leader and others think of different situations; or of different "
                "months. The comments may tell."
            ),
            "Which moments did you think of when you answered?",
            "Which ones may they have thought of?",
            "Whom could you ask, without asking who answered what?",
        ],
        [
            "Übergeben: Was gemeint ist, kommt nicht an.",
            (
                "Andere sehen dies zwischen „Etwa jedes zweite Mal“ und „Meistens“. Die "
                "Führungskraft sieht es öfter (4,0)."
            ),
            (
                "Dagegen spräche: Führungskraft und andere denken an verschiedene Situationen; "
                "oder an verschiedene Monate. Die Kommentare verraten es vielleicht."
            ),
            "An welche Momente haben Sie gedacht, als Sie geantwortet haben?",
            "An welche haben die anderen vielleicht gedacht?",
            "Wen könnten Sie fragen, ohne zu fragen, wer was geantwortet hat?",
        ],
    ),
    "others see more": Lines(
        hypothesis(apart("lean_on"), OWN),
        [
            "Handing over: others see more here than the leader does.",
            (
                "Others place this between “About half the time” and “Usually”. The leader sees "
                "it less often (4.0)."
            ),
            (
                "Against it: the leader holds the bar higher than the question does; or others "
                "are being kind."
            ),
            "What do you think they have seen that you take for granted?",
            "Where could you lean on it more than you do?",
        ],
        [
            "Übergeben: Andere sehen hier mehr als die Führungskraft selbst.",
            (
                "Andere sehen dies zwischen „Etwa jedes zweite Mal“ und „Meistens“. Die "
                "Führungskraft sieht es seltener (4,0)."
            ),
            (
                "Dagegen spräche: Die Führungskraft legt die Latte höher als die Frage; oder "
                "andere sind freundlich."
            ),
            "Was haben andere wohl gesehen, das für Sie selbstverständlich ist?",
            "Wo könnten Sie sich mehr darauf stützen als bisher?",
        ],
    ),
    "a strength": Lines(
        hypothesis(figure(4.2, (3.8, 4.6)), strengths=("MM1",)),
        [
            "Handing over: others rely on it.",
            "Others place this between “Usually” and “Almost always”.",
            (
                "Against it: it comes at a price that nobody was asked about, such as the "
                "leader's evenings."
            ),
            "When did it come easily, and what made it so?",
            "How could it help with what you want to practise?",
        ],
        [
            "Übergeben: Andere verlassen sich darauf.",
            "Andere sehen dies zwischen „Meistens“ und „Fast immer“.",
            (
                "Dagegen spräche: Es hat einen Preis, nach dem niemand gefragt wurde, etwa die "
                "Abende der Führungskraft."
            ),
            "Wann fiel es Ihnen leicht, und was hat das möglich gemacht?",
            "Wie könnte es bei dem helfen, was Sie üben wollen?",
        ],
    ),
    "not alike": Lines(
        hypothesis(figure(scope="theme", key="MM", spread="differently")),
        [
            "Room to lead: it depends on whom one asks.",
            (
                "The answers of others centre on “About half the time” (3.2). If we asked again, "
                "the result would probably fall between 2.6 and 3.8. Their views differ widely, "
                "so the middle says little."
            ),
            (
                "Against it: few people, read differently, by chance. Who stands where is not in "
                "these data and must not be guessed."
            ),
            "In which situations are you at your best here, in which not?",
            "What is different for people who work with you rarely?",
        ],
        [
            "Raum geben: Es kommt darauf an, wen man fragt.",
            (
                "Die Antworten anderer liegen im Mittel bei „Etwa jedes zweite Mal“ (3,2). Wenn "
                "wir noch einmal fragten, läge das Ergebnis wahrscheinlich zwischen 2,6 und 3,8. "
                "Die Sichten der anderen gehen weit auseinander; ihre Mitte sagt deshalb wenig."
            ),
            (
                "Dagegen spräche: wenige Menschen, die es zufällig verschieden verstanden haben. "
                "Wer wo steht, ist nicht in diesen Daten und darf nicht geraten werden."
            ),
            "In welchen Situationen gelingt es Ihnen am besten, in welchen nicht?",
            "Was ist für Menschen anders, die selten mit Ihnen arbeiten?",
        ],
    ),
    "not seen": Lines(
        hypothesis(UNSEEN),
        [
            "Handing over: it happens where few can see it.",
            "More than two in five had no chance to see this, so there is no figure.",
            "Against it: there was no occasion for it in these months.",
            "Where does it take place, and who is there?",
            "What would make it visible, without making a show of it?",
        ],
        [
            "Übergeben: Es geschieht, wo wenige es sehen können.",
            ("Mehr als zwei von fünf konnten dies nicht beobachten, deshalb gibt es keine Zahl."),
            "Dagegen spräche: In diesen Monaten gab es keinen Anlass dafür.",
            "Wo findet es statt, und wer ist dabei?",
            "Was würde es sichtbar machen, ohne es vorzuführen?",
        ],
    ),
    "everything is there": Lines(carries_not(NARROW, RATED, comments=("something",)), [], []),
    "no own view, no statement, no comment": Lines(
        carries_not(NARROW),
        [
            (
                "The leader's own view stands nowhere beside that of others, so nothing can be "
                "said of how the two differ."
            ),
            (
                "No single statement is shown. Please do not ask for one: a facet is as close as "
                "these answers go."
            ),
            "There are no comments, so figures have no examples.",
        ],
        [
            (
                "Die eigene Sicht der Führungskraft steht nirgends neben der von anderen; wie "
                "sich beide unterscheiden, lässt sich also nicht sagen."
            ),
            (
                "Keine einzelne Aussage wird gezeigt. Bitte fragen Sie nicht danach: Näher als "
                "eine Facette kommen diese Antworten nicht."
            ),
            "Es gibt keine Kommentare, die Zahlen haben also keine Beispiele.",
        ],
    ),
    "groups put together": Lines(
        carries_not(NARROW, RATED, atoms=(atom(4, "peer", "manager"),)),
        [
            (
                "Peers cannot be told apart, and nothing here says how one of these groups alone "
                "sees anything."
            ),
            "There are no comments, so figures have no examples.",
        ],
        [
            (
                "Peers lassen sich nicht trennen; wie eine dieser Gruppen allein etwas sieht, "
                "sagt hier nichts."
            ),
            "Es gibt keine Kommentare, die Zahlen haben also keine Beispiele.",
        ],
    ),
    "a small group": Lines(
        carries_not(NARROW, RATED, atoms=(atom(4, "peer"),)),
        [
            "Peers are 4: one person more or less could move their dot by half a point.",
            "There are no comments, so figures have no examples.",
        ],
        [
            (
                "Peers sind 4: Eine Person mehr oder weniger könnte ihren Punkt um einen halben "
                "verschieben."
            ),
            "Es gibt keine Kommentare, die Zahlen haben also keine Beispiele.",
        ],
    ),
    "wide bands": Lines(
        carries_not(figure(band=(2.6, 3.6)), RATED),
        [
            "These bands are a point wide or more, so their dots rank nothing: Handing over.",
            "There are no comments, so figures have no examples.",
        ],
        [
            (
                "Diese Spannen sind einen Punkt breit oder breiter, ihre Punkte ordnen also "
                "nichts: Übergeben."
            ),
            "Es gibt keine Kommentare, die Zahlen haben also keine Beispiele.",
        ],
    ),
    "nearly wide bands": Lines(
        carries_not(figure(band=(2.6, 3.5)), RATED),
        ["There are no comments, so figures have no examples."],
        ["Es gibt keine Kommentare, die Zahlen haben also keine Beispiele."],
    ),
    "what few could see": Lines(
        carries_not(UNSEEN, RATED),
        [
            (
                "Many had no chance to see: Handing over. That says something of where the work "
                "takes place, nothing of how well it is done."
            ),
            "There are no comments, so figures have no examples.",
        ],
        [
            (
                "Viele hatten keine Gelegenheit, dies zu sehen: Übergeben. Das sagt etwas "
                "darüber, wo die Arbeit geschieht, nichts darüber, wie gut sie getan wird."
            ),
            "Es gibt keine Kommentare, die Zahlen haben also keine Beispiele.",
        ],
    ),
}


class Listening(Language):
    """A language that keeps which messages were said in it."""

    def __init__(self, code: str) -> None:
        super().__init__(code, language(code).translations)
        self.heard: set[str] = set()

    def gettext(self, message: str, **gaps: object) -> str:
        self.heard.add(message)
        return super().gettext(message, **gaps)


def messages_of(module) -> set[str]:
    """Every message that stands in a module's source."""
    return {str(message) for _, message, _, _ in extract_from_file("python", module.__file__)}


@pytest.fixture
def make(release, questionnaire):
    def guide(say, **update):
        spoken = release.model_copy(update={"language": say.code, **update})
        made = Guide(Preview(spoken, questionnaire))
        made.say = made.preview.say = say
        return made

    return guide


@pytest.mark.parametrize("code", ["en", "de"])
@pytest.mark.parametrize("case", WORDING)
def test_what_the_numbers_lead_to(questionnaire, case, code):
    row = WORDING[case]

    assert row.said(language(code), questionnaire.texts[code]) == getattr(row, code)


@pytest.mark.parametrize("code", ["en", "de"])
@pytest.mark.parametrize("case", GUIDE)
def test_what_the_guide_says(make, case, code):
    row = GUIDE[case]
    said = row.said(lambda **update: make(language(code), **update))

    assert said.splitlines() == getattr(row, code)


def test_no_sentence_makes_a_change_of_an_unclear_one(questionnaire):
    for group in (None, "Peers"):
        with pytest.raises(ValueError, match="only a clear change"):
            changed("unclear", group)(language("en"), questionnaire.texts["en"])


def test_no_sentence_is_missing_here(make, questionnaire):
    """Each message of both modules is said by some row."""
    say = Listening("en")
    for row in WORDING.values():
        row.said(say, questionnaire.texts["en"])
    for row in GUIDE.values():
        row.said(lambda **update: make(say, **update))

    assert messages_of(wording) | messages_of(guide_) == say.heard


def test_every_sentence_that_is_said_can_be_translated(make):
    """A message that is not found in the source would stay English in every language."""
    say = Listening("de")
    for row in GUIDE.values():
        row.said(lambda **update: make(say, **update))

    assert say.heard <= messages_of(wording) | messages_of(guide_)
