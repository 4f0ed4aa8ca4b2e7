"""What the AWS provider may be allowed: the policies of docs/iam, and a replay of what the contract suite calls."""
