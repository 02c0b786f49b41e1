"""Where vendors' words end: DynamoDB, S3, SQL, queues and the web, in the shop's own terms."""
