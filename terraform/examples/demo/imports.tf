# What the demo organisation has already.

import {
  to = justiam_application.internal_db
  id = "internal-db"
}

import {
  to = justiam_app_mapping.db_readonly_role
  id = "internal-db/db-readonly"
}

import {
  to = justiam_group.dba_team
  id = "dba-team"
}

import {
  to = justiam_group.engineering_managers
  id = "engineering-managers"
}

import {
  to = justiam_group_membership.dana
  id = "dba-team/dana@example.com"
}

import {
  to = justiam_access_request_template.db_readonly
  id = "Database read-only access"
}
