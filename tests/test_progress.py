"""What goes on in the background is seen while it does, in a real browser."""

from playwright.sync_api import expect

from survey import jobs
from survey.models import Programme
from tests import factories
from tests.conftest import on_sqlite
from tests.world import MANY_PEOPLE


@on_sqlite
def test_the_page_of_an_import_brings_itself_up_to_date(app, session, catcher, sign_in):
    factories.person(session, "Andy", "administrator")
    session.commit()
    session.close()
    andy = sign_in("andy")
    andy.goto("/administration/people/import")
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": MANY_PEOPLE}
    andy.get_by_label("File").set_input_files(file)
    andy.get_by_role("button", name="Import", exact=True).click()
    expect(andy.get_by_role("progressbar", name="250 of 251 rows are done")).to_be_visible()

    jobs.sweep(app)
    expect(andy.get_by_text("The import is done: 251 rows.")).to_be_visible()
    expect(andy.get_by_role("button", name="Stop the import")).not_to_be_visible()


@on_sqlite
def test_what_is_typed_meanwhile_stays(app, session, keyring, catcher, sign_in):
    """The invitations go out while somebody adds leaders on the same page."""
    factories.person(session, "Andy", "administrator")
    sam = factories.person(session, "Sam", "leader")
    programme = factories.programme(session, sam, factories.person(session, "Mona"))
    round_ = factories.opened(session, keyring, roster={"peer": 4})
    round_.programme, programme.mails_held = programme, True
    session.commit()
    session.close()
    andy = sign_in("andy")
    andy.goto(f"/administration/programmes/{programme.id}")
    expect(andy.get_by_role("progressbar", name="0 of 5 invitations are sent")).to_be_visible()
    andy.get_by_label("Leaders").fill("lee@example.org")
    session.get(Programme, programme.id).mails_held = False
    session.commit()
    session.close()
    with andy.expect_response(lambda answer: "invitations are sent" not in answer.text()):
        jobs.sweep(app)

    expect(andy.get_by_label("Leaders")).to_have_value("lee@example.org")
    andy.wait_for_timeout(500)
    expect(andy.get_by_label("Leaders")).to_have_value("lee@example.org")
