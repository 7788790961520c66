# Completes agentctl's command lines: commands, options, and what the node knows by name.

_agentctl_node_names() {
    # $1: a list command; its first column. Gives up after a second: nobody waits for a completion.
    local -a options=()
    local i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            # The colon of HOST:PORT is a word of its own here.
            --node)
                local node=${COMP_WORDS[i + 1]}
                [[ ${COMP_WORDS[i + 2]} == : ]] && node+=:${COMP_WORDS[i + 3]}
                options+=(--node "$node")
                ;;
            --token-file) options+=(--token-file "${COMP_WORDS[i + 1]}") ;;
        esac
    done
    timeout 1 agentctl "$@" "${options[@]}" 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_agentctl() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local commands="info types agents create call get cancel calls release delete top drain stop bench"
    local command="" i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ " $commands " == *" ${COMP_WORDS[i]} "* ]]; then
            command=${COMP_WORDS[i]}
            break
        fi
    done

    case $before in
        --token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        -o | --output) mapfile -t COMPREPLY < <(compgen -W "text json" -- "$word"); return ;;
        --state)
            mapfile -t COMPREPLY < <(compgen -W "waiting queued running done failed cancelled" -- "$word")
            return
            ;;
        --type | --agent-type)
            mapfile -t COMPREPLY < <(compgen -W "$(_agentctl_node_names types)" -- "$word")
            return
            ;;
        --agent)
            mapfile -t COMPREPLY < <(compgen -W "$(_agentctl_node_names agents)" -- "$word")
            return
            ;;
        --node | --id | --name | --args | --options | --method | --deadline | --wait | --grace | --interval | --limit | \
            --cursor | --rows | --in-flight | --calls) return ;;
    esac

    local options="--node --token-file --output --help" names=""
    case $command in
        "") options+=" --version"; names=$commands ;;
        agents) options+=" --type --limit --cursor" ;;
        calls) options+=" --agent --state --limit --cursor" ;;
        create) options+=" --id --name --args --options" ;;
        call) options+=" --method --deadline --no-wait" ;;
        get) options+=" --wait" ;;
        stop) options+=" --grace" ;;
        top) options+=" --interval --rows --once" ;;
        bench) options+=" --agent-type --args --in-flight --calls" ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        return
    fi
    case $command in
        create) [[ $before == create ]] && names=$(_agentctl_node_names types) ;;
        call | delete | get) [[ $before == "$command" ]] && names=$(_agentctl_node_names agents) ;;
        cancel) names=$(_agentctl_node_names calls --state running) ;;
        release) names=$(_agentctl_node_names calls --state done) ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
}

complete -F _agentctl agentctl
