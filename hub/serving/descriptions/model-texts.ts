import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { hasCode } from '../../../platform/lifecycle/index.ts'
import { type Documentation, type ModelText, parseModel } from '../../kube/openapi/index.ts'

const PACKAGE = '@kubernetes/client-node'

/**
 * What people are told of Kubernetes' own kinds, read from the declarations of the installed client package as it is asked for. Nothing
 * is kept. Where the package has been stripped of its declarations there are no texts.
 */
export function modelTexts(directory = modelsDirectory()): Documentation {
  return (model) => (directory === undefined ? undefined : read(directory, model))
}

function read(directory: string, model: string): ModelText | undefined {
  try {
    return parseModel(model, readFileSync(join(directory, `${model}.d.ts`), 'utf8'))
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

function modelsDirectory(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(PACKAGE)), 'gen', 'models')
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

function isAbsent(error: unknown): boolean {
  return hasCode(error, 'ENOENT', 'MODULE_NOT_FOUND')
}
