import type { Attributes } from '../../kube/rbac/index.ts'
import type { ResourcePath } from './paths.ts'

/** What a request wants to do, as authorization sees it. `verb` is the method in small letters where it means nothing here. */
export function attributesOf(url: URL, verb: string, path: ResourcePath | undefined): Attributes {
  if (!path) return { verb, path: url.pathname }
  return { verb, path: url.pathname, resource: inNamespace(named(path, verb, url.searchParams)) }
}

/** A list or watch of one object by its name asks for no more than that object. */
function named(path: ResourcePath, verb: string, query: URLSearchParams): ResourcePath {
  if (path.name !== '' || (verb !== 'list' && verb !== 'watch')) return path
  for (const part of (query.get('fieldSelector') ?? '').split(',')) {
    const name = /^metadata\.name==?([^=\\/%]+)$/.exec(part)?.[1]
    if (name !== undefined) return { ...path, name }
  }
  return path
}

/** A namespace is in itself, so that who may read in it can see it. */
function inNamespace(path: ResourcePath): ResourcePath {
  return path.plural === 'namespaces' && path.name !== '' && path.namespace === '' && path.group === ''
    ? { ...path, namespace: path.name }
    : path
}
