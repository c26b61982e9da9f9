import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Folders of a package and of all that it depends on, by their names, as they are installed in this checkout. */
export function packageClosure(modules: string, name: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const add = (each: string) => {
    const folder = join(modules, each)
    if (found.has(each) || !existsSync(folder)) return
    found.set(each, folder)
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    for (const dependency of Object.keys(dependencies)) add(dependency)
  }
  add(name)
  return found
}
