// @ts-check
import { describeMapper } from 'skerry/mapper/testing'
import subject from './conformance.js'

describeMapper(subject)
