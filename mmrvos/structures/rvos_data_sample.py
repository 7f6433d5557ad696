from mmengine.structures import BaseDataElement, InstanceData


class RVOSDataSample(BaseDataElement):
    """One clip of one video, with E expressions about it.

    Meta (set by ``PackRVOSInputs``; all lists have length E unless said):

    - ``video_id`` (str), ``frame_names`` (list[str], T), ``img_paths``
      (list[str], T);
    - ``exp_ids``, ``texts`` (list[str]), ``obj_ids`` (list[list[str]]; the
      union of the objects is the target, an empty list means no target),
      ``type_ids`` (list[str | None]), ``lengths`` (list[str | None], 'short'
      or 'long');
    - ``ori_shape``, ``img_shape`` (height, width) before and after the
      transforms, both without padding;
    - ``batch_input_shape`` (height, width) after padding, set by the data
      preprocessor;
    - ``mask_source`` (:class:`MaskSource` or None), test time only: where a
      metric reads ground truth, one expression at a time;
    - ``valid_index`` (int, optional): position in the clip of the only
      annotated frame (A2D-Sentences, JHMDB-Sentences);
    - ``flips`` (tuple[str], optional): directions in which the clip was
      mirrored, 'horizontal' or 'vertical'.

    Data:

    - ``gt`` (:class:`InstanceData`, E long), training: ``masks`` (E, T, h, w)
      bool, ``boxes`` (E, T, 4) float32 as normalised (cx, cy, w, h) of
      ``img_shape``, zero where absent, ``valid`` (E, T) bool, ``labels`` (E,).
    - ``objects`` (:class:`InstanceData`, M long), training, for methods that
      learn from all objects of a clip: ``masks`` (M, T, h, w) bool and
      ``obj_ids`` (list[str]) of every annotated object that the clip shows.
    - ``pred`` (:class:`InstanceData`, E long), test: ``masks``, per expression
      a list of T COCO RLE dicts at ``ori_shape`` (small, and decoded a frame
      at a time), ``scores`` (E,) of the chosen queries, ``frame_scores``
      (E, T) in every frame, ``queries`` (E, windows) their indices;
      ``query_masks``, ``query_scores`` and ``query_boxes``, all queries' RLE,
      scores and (x1, y1, x2, y2) pixels in the annotated frame, where the
      protocol ranks them.
    """

    @property
    def gt(self) -> InstanceData:
        return self._gt

    @gt.setter
    def gt(self, value: InstanceData) -> None:
        self.set_field(value, '_gt', dtype=InstanceData)

    @gt.deleter
    def gt(self) -> None:
        del self._gt

    @property
    def objects(self) -> InstanceData:
        return self._objects

    @objects.setter
    def objects(self, value: InstanceData) -> None:
        self.set_field(value, '_objects', dtype=InstanceData)

    @objects.deleter
    def objects(self) -> None:
        del self._objects

    @property
    def pred(self) -> InstanceData:
        return self._pred

    @pred.setter
    def pred(self, value: InstanceData) -> None:
        self.set_field(value, '_pred', dtype=InstanceData)

    @pred.deleter
    def pred(self) -> None:
        del self._pred
