/** Where commands run. */
export interface Stage {
  /** Path of the kubeconfig of who may do everything. */
  readonly kubeconfig: string
  /** For caches and files. */
  readonly directory: string
  /** Path of the kubectl that plays; the machine's own where none is given. */
  readonly program?: string
  readonly signal?: AbortSignal
}
