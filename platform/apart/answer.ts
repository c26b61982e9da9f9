import { BugError } from '../lifecycle/errors.ts'
import { packError } from '../lifecycle/pack-error.ts'
import type { ApartAnswer, ApartCall } from './run-apart.ts'

/** Does one call. */
export async function answer({ module, name, input }: ApartCall): Promise<ApartAnswer> {
  try {
    const loaded: unknown = await import(module)
    const work = typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, name) : undefined
    if (typeof work !== 'function') {
      throw new BugError('A module has no such function', {
        code: 'PLATFORM_APART_NO_FUNCTION',
        fields: { module, name },
      })
    }
    return { ok: true, value: await work(input) }
  } catch (error) {
    return { ok: false, error: packError(error) }
  }
}
