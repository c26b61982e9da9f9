/** One variable of the environment. The only place that reads it: configuration is files and flags; variables only say where they are. */
export function environment(name: string): string | undefined {
  return process.env[name]
}

/** Variables that say how a program runs and hold no secret. */
const PLAIN = ['PATH', 'TZ', 'LANG', 'LC_ALL', 'TMPDIR', 'NODE_COMPILE_CACHE', 'NODE_EXTRA_CA_CERTS', 'SystemRoot']

/** The environment for code that is not ours: nothing in it that this process was entrusted with. */
export function plainEnvironment(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    PLAIN.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** The whole environment and more: for a program that the operator has named, which is to find there what he put there for it. */
export function environmentWith(more: Readonly<Record<string, string>>): Readonly<Record<string, string | undefined>> {
  return { ...process.env, ...more }
}
