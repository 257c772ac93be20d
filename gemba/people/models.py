"""People, what they belong to, and the proofs by which they are known."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gemba.db import Base
from gemba.people.rules import Role


class Line(Base):
    """A support line: a team of agents with a lead."""

    __tablename__ = "line"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", use_alter=True), index=True)

    lead: Mapped["Person | None"] = relationship(foreign_keys=[lead_id])


class Product(Base):
    """What is supported."""

    __tablename__ = "product"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Person(Base):
    """One human being, whatever their roles. `email` is kept normalised and casefolded.

    `bounced_at` is when mail to the address last came back, `bounce` why; both go when the address changes.
    `erased_at` is when the person had all that names them taken out.
    """

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    timezone: Mapped[str] = mapped_column(default="UTC")
    timezone_confirmed: Mapped[bool] = mapped_column(default=False)
    locale: Mapped[str] = mapped_column(default="en")
    department: Mapped[str] = mapped_column(default="")
    line_id: Mapped[int | None] = mapped_column(ForeignKey("line.id"), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    bounced_at: Mapped[datetime | None]
    bounce: Mapped[str] = mapped_column(default="")
    erased_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    line: Mapped[Line | None] = relationship(foreign_keys=[line_id])
    role_rows: Mapped[list["PersonRole"]] = relationship(cascade="all, delete-orphan")
    products: Mapped[list[Product]] = relationship(secondary="person_product", order_by="Product.name")
    language_rows: Mapped[list["PersonLanguage"]] = relationship(cascade="all, delete-orphan")

    @property
    def roles(self) -> frozenset[Role]:
        """The roles this person holds."""
        return frozenset(Role(row.role) for row in self.role_rows)

    @property
    def languages(self) -> list[str]:
        """Languages an agent can be visited in, as two-letter codes in order."""
        return sorted(row.language for row in self.language_rows)

    def has(self, *roles: Role) -> bool:
        """Whether the person holds one of these roles."""
        return not self.roles.isdisjoint(roles)

    @property
    def first_name(self) -> str:
        """What one would call the person in a greeting."""
        return self.name.split()[0]


class PersonRole(Base):
    """A role held by a person."""

    __tablename__ = "person_role"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)


class PersonProduct(Base):
    """A product an agent supports."""

    __tablename__ = "person_product"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    product_id: Mapped[int] = mapped_column(
        ForeignKey("product.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class PersonLanguage(Base):
    """A language an agent can be visited in."""

    __tablename__ = "person_language"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)


class MailDeclined(Base):
    """A kind of mail that a person does not want; there is a row exactly while they do not."""

    __tablename__ = "mail_declined"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)


class SignInRequest(Base):
    """One asked-for sign-in: a mailed link and a typed code, good for ten minutes and one use."""

    __tablename__ = "sign_in_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    browser_hash: Mapped[str] = mapped_column(unique=True)
    link_hash: Mapped[str] = mapped_column(unique=True)
    code_hash: Mapped[str]
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignIn(Base):
    """A signed-in browser; deleting or revoking the row signs it out at once."""

    __tablename__ = "sign_in"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    method: Mapped[str]
    browser: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship()


class Identity(Base):
    """Who an OpenID Connect provider says a person is: (iss, sub), never the e-mail."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    created_at: Mapped[datetime]

    person: Mapped[Person] = relationship()


class ApiToken(Base):
    """A bearer token of a person; only its hash is kept."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    scope: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship()


class AuditEntry(Base):
    """Who did what and when; written in the transaction of the act."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"), index=True)
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    address: Mapped[str] = mapped_column(default="")
