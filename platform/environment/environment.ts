/** One variable of the environment. The only place that reads it: configuration is files and flags; variables only say where they are. */
export function environment(name: string): string | undefined {
  return process.env[name]
}
