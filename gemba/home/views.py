"""The home page, and the door for those who are not signed in."""

from flask import Blueprint, render_template

from gemba.clock import now
from gemba.home import service
from gemba.web.access import me_or_none, public

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@public
def home() -> str:
    """The next visit, what waits, what came of one's notes; the door for strangers."""
    person = me_or_none()
    if person is None:
        return render_template("home/door.html")
    return render_template("home/home.html", home=service.home(person, now=now()), now=now())
