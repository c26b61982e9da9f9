/**
 * Fills `$(NAME)` in from the environment; `$$` is a dollar (Kubernetes, third_party/forked/golang/expansion). Throws for a name that
 * is not there, as a path must not be another one than was meant.
 */
export function expandPath(text: string, environment: ReadonlyMap<string, string>): string {
  return text.replace(/\$\$|\$\(([^()]*)\)/g, (_, name?: string) => {
    if (name === undefined) return '$'
    const value = environment.get(name)
    if (value === undefined) throw new Error(`subPathExpr ${text} needs the variable ${name}, which is not there`)
    return value
  })
}
