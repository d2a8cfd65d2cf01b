export function patchFiles(root: string): string[]
export function patchModules(root: string): void
