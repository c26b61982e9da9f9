import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { cruise, type ICruiseOptions } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'

export interface Violation {
  readonly rule: string
  readonly from: string
  readonly to: string
}

/** Breaches of `.dependency-cruiser.cjs` below `root`, and how many modules of ours were seen. */
export async function boundaryViolations(
  root: string,
  folders: readonly string[],
): Promise<{ readonly violations: readonly Violation[]; readonly modules: number }> {
  const repository = resolve(import.meta.dirname, '..')
  const config: { forbidden: unknown[]; options: ICruiseOptions } = createRequire(import.meta.url)(
    '../.dependency-cruiser.cjs',
  )
  const options: ICruiseOptions = {
    ...config.options,
    baseDir: resolve(root),
    validate: true,
    ruleSet: { forbidden: config.forbidden.map(asRule) },
  }
  const result = await cruise([...folders], options, undefined, {
    tsConfig: extractTSConfig(join(repository, 'tsconfig.json')),
  })
  if (typeof result.output === 'string') throw new Error('dependency-cruiser answered with text')
  const { modules, summary } = result.output
  return {
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
    modules: modules.filter((module) => folders.some((folder) => module.source.startsWith(`${folder}/`))).length,
  }
}

function asRule(rule: unknown): { readonly name: string; readonly from: object; readonly to: object } {
  if (typeof rule === 'object' && rule !== null && 'name' in rule && 'from' in rule && 'to' in rule) {
    const { name, from, to } = rule
    if (typeof from === 'object' && from !== null && typeof to === 'object' && to !== null) {
      return { ...rule, name: String(name), from, to }
    }
  }
  throw new Error('.dependency-cruiser.cjs has a rule of an unknown form')
}
