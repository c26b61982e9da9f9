/**
 * What is said of fields: by structure, such as `V1Pod`, then by field. One to three sentences each. Made when a document is written, so
 * that a server whom nobody asks what fields mean keeps none of them.
 */
export type Words = Readonly<Record<string, Readonly<Record<string, string>>>>

/** Said of `metadata` of any object. */
export const OBJECT_METADATA = 'Name, namespace, labels, annotations, owners and what else every object has.'

/** Said of `metadata` of any list. */
export const LIST_METADATA =
  'Of which state the list is (resourceVersion), and how to get the rest of it (continue) where a limit was set.'

/** Said of `items` of any list. */
export const LIST_ITEMS = 'The objects of the list.'
