/** The visitor schema of a protocol with the keys of the host. Loads the schema library: an idle edge must not pay for it. */
export async function visitorSchemaForEditors(visitorSchema: object): Promise<object> {
  const { withHostKeys } = await import('./host-keys.ts')
  return withHostKeys(visitorSchema)
}
