export { kubeconfig } from '../../serving/access/kubeconfig.ts'
export { type LocalPeople, openLocalPeople, operatorName } from './access/local-people.ts'
