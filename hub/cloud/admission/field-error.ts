/** One thing wrong with an object. `field` as kubectl prints it: `spec.properties[0].desired.value`. */
export interface FieldError {
  readonly field: string
  readonly message: string
}
