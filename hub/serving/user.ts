/** Who asks. */
export interface User {
  readonly name: string
  readonly groups: readonly string[]
  /** Of a service account; absent for others. */
  readonly uid?: string
  readonly extra?: Readonly<Record<string, readonly string[]>>
}
