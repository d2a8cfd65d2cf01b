const meta = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')

/** What a `<style>` that is written at run time has to carry: the policy of the page allows no other. */
export const styleNonce = meta?.nonce ?? ''

// Where libraries of Mantine's look for it (get-nonce).
Object.assign(globalThis, { __webpack_nonce__: styleNonce })
