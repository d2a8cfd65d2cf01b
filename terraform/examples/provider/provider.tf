terraform {
  required_version = ">= 1.11"

  required_providers {
    justiam = {
      source = "hallpass.internal/hallpass/justiam"
    }
  }
}

variable "hallpass_endpoint" {
  type    = string
  default = "http://127.0.0.1:8080"
}

# The credential comes from HALLPASS_TOKEN, or from HALLPASS_CLIENT_ID and HALLPASS_CLIENT_SECRET.
provider "justiam" {
  endpoint = var.hallpass_endpoint
}
