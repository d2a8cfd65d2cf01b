/** What one run may use; every figure is enforced by the parent, most of them by the child too. */
export type Limits = {
  slice_ms: number
  cpu_ms: number
  host_call_ms: number
  heap_mb: number
  resident_mb: number
  calls: number
  http_calls: number
  call_chars: number
  sent_chars: number
  reply_bytes: number
  result_bytes: number
  log_lines: number
  line_chars: number
}

export const defaultLimits: Limits = {
  slice_ms: 2_000,
  cpu_ms: 5_000,
  host_call_ms: 10_000,
  heap_mb: 64,
  resident_mb: 220,
  calls: 50,
  http_calls: 20,
  call_chars: 256 * 1024,
  sent_chars: 1_000_000,
  reply_bytes: 2_000_000,
  result_bytes: 64 * 1024,
  log_lines: 500,
  line_chars: 4_096,
}

/** The largest frame that is read from a child. */
export const MAX_FRAME_BYTES = 1 << 20

/** The largest source that is compiled. */
export const MAX_SOURCE_CHARS = 256 * 1024
