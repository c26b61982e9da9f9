import { registerHooks } from 'node:module'

/** What a mapper of others imports by name, and where the running Skerry has it. */
const DOORS: ReadonlyMap<string, string> = new Map([
  ['skerry/mapper', sibling('../../contract/index')],
  ['skerry/mapper/line', sibling('../../text-line/index')],
  ['skerry/mapper/testing', sibling('../../testing/index')],
])

let open = false

/**
 * From now on `skerry/mapper` is this Skerry's own contract for every module of this thread, wherever the module is and
 * whatever copy of Skerry was installed next to it. A mapper needs nothing but its file.
 */
export function openContractDoor(): void {
  if (open) return
  open = true
  registerHooks({
    resolve: (specifier, context, next) => {
      const url = DOORS.get(specifier)
      // Not by the next hook: `require` takes no URL.
      return url === undefined ? next(specifier, context) : { url, shortCircuit: true }
    },
  })
}

function sibling(path: string): string {
  return new URL(`${path}.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url).href
}
