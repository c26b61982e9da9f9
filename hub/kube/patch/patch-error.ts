import { SkerryError } from '../../../platform/lifecycle/index.ts'

/** A patch that cannot be applied. `status` is the HTTP status to answer with, `text` what an API server would say. */
export class PatchError extends SkerryError {
  readonly status: 400 | 413 | 422 | 500
  readonly text: string

  constructor(status: 400 | 413 | 422 | 500, text: string) {
    super('the patch cannot be applied', { code: 'HUB_PATCH_REFUSED', fields: { status, text } })
    this.status = status
    this.text = text
  }
}
