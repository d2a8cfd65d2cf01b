import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

import { expectAccessible, tabTo } from './browser.ts'
import type { Visit } from './browser.ts'

/** As much of the browser's own types as is asked for here. */
type FieldElement = {
  getAttribute: (name: string) => string | null
  ownerDocument: { getElementById: (id: string) => { textContent: string } | null }
}

export const heading = (page: Page, name: string): Locator =>
  page.getByRole('heading', { level: 1, name, exact: true })

export const button = (within: Page | Locator, name: string): Locator =>
  within.getByRole('button', { name, exact: true })

/** The field that is labelled so in a form that is named so. */
export const field = (page: Page, form: string, label: string | RegExp): Locator =>
  page.getByRole('form', { name: form }).getByLabel(label)

/** Fills in a field without a mouse, once it is there. */
export async function type(into: Locator, text: string): Promise<void> {
  await into.waitFor()
  await tabTo(into)
  await into.page().keyboard.press('Control+A')
  await into.page().keyboard.insertText(text)
}

/** Presses a button or follows a link without a mouse, once it is there. */
export async function press(target: Locator): Promise<void> {
  await target.waitFor()
  await tabTo(target)
  await target.page().keyboard.press('Enter')
}

/** What a screen reader says with the field. */
const describedBy = (target: Locator): Promise<string> =>
  target.evaluate((field: FieldElement) =>
    (field.getAttribute('aria-describedby') ?? '')
      .split(' ')
      .map((id) => field.ownerDocument.getElementById(id)?.textContent ?? '')
      .join(' '),
  )

/** The form says that it is not saved; the field has the focus and says why. */
export async function expectRefused(at: Locator, words: string): Promise<void> {
  await at.and(at.page().locator(':focus')).waitFor()
  await at.locator('xpath=ancestor::form').getByRole('alert').waitFor()
  expect(await at.getAttribute('aria-invalid')).toBe('true')
  expect(await describedBy(at)).toContain(words)
}

/** Confirms in the dialog that a button opens, all by keyboard. */
export async function confirm(opener: Locator, label: string): Promise<void> {
  await press(opener)
  const dialog = opener.page().getByRole('dialog')
  await dialog.waitFor()
  await expectAccessible(opener.page())
  await press(button(dialog, label))
}

/** What a notice that is shown once says under a name. It has the focus; it is put away afterwards. */
export async function takeShownOnce(page: Page, title: string, name: string): Promise<string> {
  const notice = page.getByRole('alert').filter({ hasText: title })
  await notice.and(page.locator(':focus')).waitFor()
  await expectAccessible(page)
  const shown = notice.getByText(name, { exact: true }).locator('xpath=following-sibling::code')
  const value = await shown.textContent()
  await press(button(notice, 'I have kept it'))
  await notice.waitFor({ state: 'detached' })
  return value ?? ''
}

/** Neither what the page shows nor what its fields hold has it. */
export async function expectNowhere(page: Page, secret: string): Promise<void> {
  expect(secret.length).toBeGreaterThan(3)
  expect(await page.content()).not.toContain(secret)
  const held = await page
    .locator('input, textarea')
    .evaluateAll((fields: { value: string }[]) => fields.map(({ value }) => value))
  expect(held.join()).not.toContain(secret)
}

/** The browser complained of nothing but the refusals that a test provoked. */
export const expectCalm = (...visits: Visit[]): void =>
  expect(
    visits
      .flatMap(({ complaints }) => complaints)
      .filter((complaint) => !complaint.includes('Failed to load resource')),
  ).toEqual([])
