"""A process that serves pages starts without what only reports need."""

import subprocess
import sys


def test_what_makes_reports_is_imported_only_where_a_report_is_made():
    script = (
        "import sys, survey; heavy = {'pandas', 'numpy', 'scipy', 'weasyprint', 'xlsxwriter'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
