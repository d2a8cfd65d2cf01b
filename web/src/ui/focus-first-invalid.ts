/** After a refusal: to the first field that has to be mended. */
export const focusFirstInvalid = (form: HTMLElement | null): void =>
  form
    ?.querySelector<HTMLElement>(
      '[aria-invalid="true"], [data-invalid="true"] input, [data-error="true"] input',
    )
    ?.focus()
