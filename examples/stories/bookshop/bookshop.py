"""A bookshop that uses all eleven services, and knows of none where it is: the settings say so.

    python bookshop.py mock.toml

It opens, sells two books, and closes its day. What it prints is the same wherever its services are.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sys
import urllib.request
from datetime import timedelta
from decimal import Decimal
from typing import Final

from lcplatform import Json, LCPlatform
from lcplatform.data_store.models import Migration
from lcplatform.document_store.models import FieldOrder
from lcplatform.errors import AuthenticationError, ValidationError
from lcplatform.event_bus.models import QueueTarget
from lcplatform.notification.models import Attachment, DeliveryProtocol, DeliveryStatus
from lcplatform.queue.models import Message
from lcplatform.web_hosting.models import Access, Binding

SHOP: Final = "bookshop"
INVOICES: Final = "bookshop-invoices"
PACKING: Final = "bookshop-packing"
NEWS: Final = "bookshop-news"
SIGNING: Final = "bookshop/signing-key"
GREETING: Final = "bookshop/greeting"
A_WHILE: Final = timedelta(seconds=20)

SITE: Final = "lcplatform/test-site:1"  # answers with GREETING, and with any other variable
REPORT: Final = "lcplatform/test-job"  # writes what PRINT says

BOOKS: Final = (
    {"_id": "emma", "title": "Emma", "kind": "novel", "price": {"$numberDecimal": "11.90"}},
    {"_id": "walden", "title": "Walden", "kind": "essay", "price": {"$numberDecimal": "9.00"}},
    {"_id": "dracula", "title": "Dracula", "kind": "novel", "price": {"$numberDecimal": "14.50"}},
)
ORDERS: Final = """
    CREATE TABLE orders (
        number bigserial PRIMARY KEY,
        customer text NOT NULL,
        book text NOT NULL,
        price numeric(9, 2) NOT NULL,
        packed boolean NOT NULL DEFAULT false
    )
"""
RULES: Final = {
    "type": "object",
    "properties": {"tax": {"type": "integer", "minimum": 0}},
    "required": ["tax"],
}


def main(settings: str) -> None:
    """The shop's first day."""
    with LCPlatform.from_file(settings) as platform:
        shop = Shop(platform)
        shop.furnish()
        shop.choose_the_tax()
        shop.let_the_partner_in()
        site = shop.open_the_site()
        shop.sell("ada@example.com", "dracula")
        shop.sell("kim@example.com", "emma")
        shop.pack()
        shop.close_the_site(site)
        shop.tell_everybody("Walden is back!")
        shop.close_the_day()


class Shop:
    """What the shop does, on a platform."""

    def __init__(self, platform: LCPlatform) -> None:
        self.platform = platform

    def furnish(self) -> None:
        """Makes everything that the shop works with."""
        it = self.platform
        it.object_store.create_bucket(INVOICES)
        it.queue.create_queue(PACKING)
        it.secrets.create_secret(SIGNING, secrets.token_urlsafe())
        it.secrets.create_secret(GREETING, "Come in!")
        it.data_store.migrate([Migration(version="001", name="orders", up=ORDERS)])
        it.document_store.create_collection("books")
        it.document_store.insert_documents("books", BOOKS)
        it.event_bus.create_event_bus(SHOP)
        it.event_bus.create_rule(SHOP, "packing", pattern={"type": ["order.placed"]})
        it.event_bus.add_target(
            SHOP, "packing", target_id="queue", target=QueueTarget(queue=PACKING)
        )
        novels = it.document_store.iter_find_documents(
            "books", filter={"kind": "novel"}, sort=[FieldOrder(field="title")]
        )
        say("novels:", ", ".join(book.content.value["title"] for book in novels))

    def choose_the_tax(self) -> None:
        """The tax is changed while the shop works, which is told of it. One that is none is refused."""
        configuration = self.platform.configuration
        configuration.create_configuration(SHOP, "production", data={"tax": 19}, schema=RULES)
        try:
            configuration.update_configuration(SHOP, "production", data={"tax": "much"})
        except ValidationError as error:
            say("refused:", ", ".join(one.field for one in error.violations))
        configuration.update_configuration(SHOP, "production", data={"tax": 7})
        say("tax:", self.tax())

    def tax(self) -> int:
        """In percent."""
        return self.platform.configuration.get_configuration_value(
            SHOP, "production", path="/tax", as_type=int
        )

    def let_the_partner_in(self) -> None:
        """Whoever shows a token that was issued for reading may read. One that was changed lets nobody in."""
        authentication = self.platform.authentication
        token = authentication.client_credentials_token(scopes=["read"]).tokens.access_token
        claims = authentication.verify_token(token, required_scopes=["read"]).claims
        say("let in:", claims.client_id, "for", " ".join(claims.scopes))
        head, body, signature = token.split(".")
        try:
            authentication.verify_token(f"{head}.{body}.{signature[::-1]}")
        except AuthenticationError as error:
            say("not let in:", error.details["reason"])

    def open_the_site(self) -> str:
        """Deploys the site of the shop, which may read invoices, and is given a secret by reference."""
        hosting = self.platform.web_hosting
        invoices = Binding(
            service="object_store", resource=INVOICES, access=Access.READ, name="invoices"
        )
        application = hosting.deploy_application(
            SHOP, image=SITE, secrets={"GREETING": GREETING}, bindings=[invoices]
        ).application.application_id
        url = hosting.wait_until_running(application).url
        say("open:", read(f"{url}/"))
        say("bound to:", read(f"{url}/environment/LCPLATFORM_BINDINGS__INVOICES__RESOURCE"))
        return application

    def close_the_site(self, application: str) -> None:
        """Ends the site. It was deployed once."""
        hosting = self.platform.web_hosting
        deployments = hosting.list_deployments(application).deployments
        say("deployments:", *(it.status.value for it in deployments))
        hosting.delete_application(application)

    def sell(self, customer: str, book: str) -> None:
        """Takes an order, sends the invoice, and tells of it."""
        document = self.platform.document_store.get_document("books", book).document.content.value
        price = Decimal(document["price"]["$numberDecimal"]) * (100 + self.tax()) / 100
        order = self.platform.data_store.execute(
            "INSERT INTO orders (customer, book, price) VALUES ($1, $2, $3) RETURNING number",
            [customer, book, price.quantize(Decimal("0.01"))],
        )
        number = order.rows[0].values[0]
        assert isinstance(number, int)
        invoice = f"Invoice {number}: {document['title']}, {price:.2f}".encode()
        self.platform.object_store.put_object(
            INVOICES, f"{number}.txt", invoice, metadata={"signature": self.signature(invoice)}
        )
        sent = self.platform.notification.send_email(
            to=[customer],
            subject=f"Your invoice {number}",
            text="Thank you!",
            attachments=[
                Attachment(filename="invoice.txt", content_type="text/plain", data=invoice)
            ],
        )
        deliveries = self.platform.notification.get_delivery_status(sent.message_id).deliveries
        failed = any(it.status is DeliveryStatus.FAILED for it in deliveries)
        say("sold:", invoice.decode(), "could not be sent" if failed else f"sent to {customer}")
        self.platform.event_bus.publish_event(
            SHOP, source="/bookshop", type="order.placed", data={"order": number}
        )

    def pack(self) -> None:
        """Packs what the events in the queue tell of, each order in a transaction."""
        queue = self.platform.queue
        numbers: set[int] = set()

        def packed(message: Message) -> None:
            assert isinstance(message.body, Json)
            number = message.body.value["data"]["order"]
            with self.platform.data_store.transaction() as tx:
                tx.execute("UPDATE orders SET packed = true WHERE number = $1", [number])
            numbers.add(number)
            if len(numbers) == 2:
                consumer.stop()

        consumer = queue.consume(PACKING, packed)
        consumer.run()
        say("packed:", *sorted(numbers))

    def tell_everybody(self, news: str) -> None:
        """Tells who has subscribed: here it is a queue."""
        notification, queue = self.platform.notification, self.platform.queue
        queue.create_queue(NEWS)
        notification.create_topic(NEWS)
        notification.subscribe(NEWS, protocol=DeliveryProtocol.QUEUE, endpoint=NEWS)
        notification.publish_message(NEWS, news, attributes={"about": "walden"})
        [message] = queue.receive_messages(NEWS, wait=A_WHILE).messages
        say("heard:", message.body, *message.attributes.values())

    def close_the_day(self) -> None:
        """Checks what is in the books against the invoices, and has a job report it."""
        rows = self.platform.data_store.query(
            "SELECT count(*), sum(price) FROM orders WHERE packed"
        ).rows
        count, total = rows[0].values
        assert isinstance(total, Decimal)
        genuine = sum(map(self.genuine, self.invoices()))
        text = f"{count!r} orders, {total} in all, {genuine} invoices"
        batch = self.platform.batch
        job = batch.submit_job("bookshop-report", image=REPORT, environment={"PRINT": text}).job
        say("report:", batch.wait_for_job(job.job_id).status.value)
        for answer in batch.get_job_logs(job.job_id):
            say(*(f"report: {it.message}" for it in answer.entries), sep="\n")

    def invoices(self) -> list[str]:
        """The keys of all."""
        return [it.key for it in self.platform.object_store.iter_objects(INVOICES)]

    def genuine(self, key: str) -> bool:
        """Whether an invoice is as the shop has signed it."""
        with self.platform.object_store.get_object(INVOICES, key) as stored:
            signature = self.signature(stored.read())
            return hmac.compare_digest(signature, stored.header.metadata["signature"])

    def signature(self, invoice: bytes) -> str:
        """Made with a key that is nowhere but in its secret."""
        key = str(self.platform.secrets.get_secret(SIGNING).value)
        return hmac.new(key.encode(), invoice, hashlib.sha256).hexdigest()


def read(url: str) -> str:
    """What is answered there."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
        return text


def say(*what: object, sep: str = " ") -> None:
    """Tells how the day goes."""
    print(*what, sep=sep, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
