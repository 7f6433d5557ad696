# Words from a frozen RoBERTa instead of word embeddings from scratch. The
# paper has no such row.
#   bash tools/dist_train.sh configs/mlrl/ablations/r50_ytvos_roberta.py 4
_base_ = '../r50_ytvos.py'
model = dict(
    text_encoder=dict(
        _delete_=True,
        type='HuggingFaceTextEncoder',
        name='roberta-base',
        max_length=20))  # N in the paper
