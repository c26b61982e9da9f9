/** Options that every command takes. */
export interface CommonOptions {
  readonly data?: string
  readonly config?: string
  readonly output: 'text' | 'json'
}
