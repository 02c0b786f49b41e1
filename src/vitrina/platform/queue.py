"""SQS in the shop's words: messages that are sent, received and done with."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

BATCH = 10  # SendMessageBatch's and ReceiveMessage's limit


@dataclass(frozen=True, slots=True)
class Received:
    """A message in our hands until its visibility timeout ends."""

    message_id: str
    body: str
    receipt: str


class MessageQueue:
    """One queue. Threads may share it."""

    def __init__(self, client: "SQSClient", name: str) -> None:
        self._client = client
        self.name = name
        self._url: str | None = None

    def send(self, bodies: list[dict[str, Any]]) -> None:
        """Send messages, ten a call.

        Raises:
            RuntimeError: SQS refused some of them; those sent may be sent again by a repeat.
        """
        for start in range(0, len(bodies), BATCH):
            entries: Any = [
                {
                    "Id": str(number),
                    "MessageBody": json.dumps(body, separators=(",", ":")),
                }
                for number, body in enumerate(bodies[start : start + BATCH])
            ]
            answer = self._client.send_message_batch(QueueUrl=self.url, Entries=entries)
            if answer.get("Failed"):
                raise RuntimeError(f"{self.name}: SQS refused {len(answer['Failed'])} messages")

    def receive(self, *, wait_s: int) -> list[Received]:
        """Up to ten messages, waiting at most ``wait_s`` seconds (0 to 20) for the first."""
        answer = self._client.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=wait_s
        )
        return [
            Received(raw["MessageId"], raw["Body"], raw["ReceiptHandle"])
            for raw in answer.get("Messages", [])
        ]

    def done(self, message: Received) -> None:
        """Remove a message for good."""
        self._client.delete_message(QueueUrl=self.url, ReceiptHandle=message.receipt)

    @property
    def url(self) -> str:
        """Looked up at the first use: wiring makes no call."""
        if self._url is None:
            self._url = self._client.get_queue_url(QueueName=self.name)["QueueUrl"]
        return self._url
