"""What nothing built with these parts can be cheaper than."""

from flask import Flask, render_template
from sqlalchemy.orm import Session

from gemba.db import db
from gemba.people.models import Person
from tests.bench.worlds import Caller, World

PAGE = "<!doctype html><title>{{ name }}</title><h1>{{ name }}</h1><p>{{ email }}</p>"


def bare_page() -> Caller:
    """A Flask app that says one word, at /."""
    app = Flask("bare")
    app.add_url_rule("/", view_func=lambda: "hello")
    return Caller(app)


def one_row_page(world: World) -> Caller:
    """A Flask app that reads one row of the world's database by its key and fills a small template, at /."""
    app = Flask("one-row")
    with world.app.app_context():
        engine = db.engine
    key = world.cast.vera.id
    template = app.jinja_env.from_string(PAGE)  # once, as a file's template is

    def page() -> str:
        with Session(engine) as session:
            person = session.get_one(Person, key)
            return render_template(template, name=person.name, email=person.email)

    app.add_url_rule("/", view_func=page)
    return Caller(app)
