import type { Admitter } from '../rest/context.ts'

/** Several admission plugins as one: each sees what those before it made of the object. */
export function admissionChain(plugins: readonly Admitter[]): Admitter {
  return {
    async mutate(admission, warn, signal) {
      let object = admission.object
      for (const plugin of plugins) object = (await plugin.mutate({ ...admission, object }, warn, signal)) ?? object
      return object
    },
    async validate(admission, warn, signal) {
      for (const plugin of plugins) await plugin.validate(admission, warn, signal)
    },
  }
}
