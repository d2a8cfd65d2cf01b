# With the version whose value it is known to have; without one, the next apply writes the value.
terraform import justiam_secret.change_token CHANGE_TOKEN/1
