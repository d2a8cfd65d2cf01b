const isUnfinished = (element: Element): element is HTMLInputElement =>
  element instanceof HTMLInputElement && element.validity.badInput

/**
 * Half a date is no value to the browser, and would be sent as none. Such fields are told by their `invalid` event,
 * the first one gets the focus. Says whether there are any.
 */
export function refuseUnfinished(form: HTMLFormElement | null): boolean {
  const unfinished = [...(form?.elements ?? [])].filter(isUnfinished)
  for (const field of unfinished) field.checkValidity()
  unfinished[0]?.focus()
  return unfinished.length > 0
}
