"""What a shell is taught, one script each."""

from __future__ import annotations

BASH = r"""# nncli: put this into ~/.bashrc:  source <(nncli completion bash)
_nncli_completion() {
    local line=${COMP_LINE:0:COMP_POINT} program=${1/#\~\//$HOME/} answer word begun before
    # bash may end a word at = and :, nncli does not: what stands before $2 is not typed again
    word=${line##*[[:space:]]} word=${word//[\"\'\\]/} begun=${2//[\"\'\\]/}
    before=${word%"$begun"}
    COMPREPLY=()
    while IFS= read -r answer; do
        answer=${answer%%$'\t'*}
        if [[ -n $answer ]]; then COMPREPLY+=("${answer#"$before"}"); fi
        if [[ $answer == *[.=] ]]; then compopt -o nospace 2>/dev/null || :; fi
    done < <(_NNCLI_COMPLETE=1 _NNCLI_LINE="$line" "$program" 2>/dev/null)
}
complete -o bashdefault -o default -F _nncli_completion nncli
"""

ZSH = r"""#compdef nncli
# nncli: put this into ~/.zshrc:  source <(nncli completion zsh)
_nncli() {
    local -a whole begun
    local line="${(j: :)words[1,CURRENT-1]} $QIPREFIX$PREFIX" word meaning entry
    while IFS=$'\t' read -r word meaning; do
        [[ -n $word ]] || continue
        entry=${word//:/\\:}${meaning:+:${meaning//\\/\\\\}}
        if [[ $word == *[.=] ]]; then begun+=("$entry"); else whole+=("$entry"); fi
    done < <(_NNCLI_COMPLETE=1 _NNCLI_LINE=$line ${(Q)~words[1]} 2>/dev/null)
    if (( $#whole + $#begun == 0 )); then
        compset -P '*='
        _files
        return
    fi
    (( $#whole )) && _describe -V nncli whole
    (( $#begun )) && _describe -V nncli begun -S ''
    return 0
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
if [[ $funcstack[1] == _nncli ]]; then _nncli "$@"; else compdef _nncli nncli; fi
"""

FISH = r"""# nncli: put this into ~/.config/fish/config.fish:  nncli completion fish | source
function __nncli_answered
    type -q nncli; or return
    set -lx _NNCLI_COMPLETE 1
    set -lx _NNCLI_LINE (commandline -cp | string collect)
    set -g __nncli_answers (nncli 2>/dev/null | string match -r '.+')
    test (count $__nncli_answers) -gt 0
end
complete --command nncli --condition __nncli_answered --no-files --keep-order \
    --arguments '$__nncli_answers'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""What `nncli completion SHELL` prints."""
