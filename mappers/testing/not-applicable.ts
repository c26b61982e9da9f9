/** How the reason of a check that was skipped begins. */
export const NOT_APPLICABLE = 'not applicable'

/** Thrown by a check that the subject gives nothing to try on. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable'
}
